internal import ISCSIModel

// TargetConfig's secrets are what a file says, ISCSIModel's what CHAP proves: two types of one
// name.
extension CHAPUser {
  init(name: String, secretBytes: [UInt8]) {
    self.init(name: name, secret: Secret(bytes: secretBytes))
  }
}
