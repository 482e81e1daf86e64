// Sentences for the administrator who wonders why a host cannot log in. Secrets never get here;
// what the initiator sent is bounded by the keys' own limits.

extension LoginFailure: CustomStringConvertible {
  public var description: String {
    switch self {
    case .text(let error): "malformed text: \(error)"
    case .negotiation(let failure): "\(failure)"
    case .chap(let failure): "CHAP: \(failure)"
    case .admission(.notFound):
      "no such target here, or no access entry matches this initiator at this address"
    case .admission(let status): "not admitted, status \(status)"
    case .redirected(let address, _): "redirected to \(address)"
    case .directory(let status): "no place for the session, status \(status)"
    case .additionalHeader: "a login request has additional header segments"
    case .dataSegmentTooLong: "a login request has more than 8192 bytes of text"
    case .tooManyPDUs: "more than \(LoginMachine.pduCountMax) login requests"
    case .tooMuchText: "more than \(LoginMachine.textBytesMax) bytes of text"
    case .unsupportedVersion: "the initiator speaks no version that we do"
    case .reservedStage: "a reserved login stage"
    case .wrongStage: "a request for another stage than the login is in"
    case .illegalTransit: "a transit that does not go forward"
    case .continuedTransit: "a transit in the middle of a text"
    case .textWhileAnswering: "text before our answer was taken"
    case .identityChanged: "names or identifiers changed during the login"
    case .missingKey(let key): "no \(key)"
    case .illegalValue(let key): "\(key) is not a legal value"
    case .unexpectedKey(let key): "\(key) does not belong in this stage"
    case .sessionTypeNotSupported: "unknown SessionType"
    case .cannotJoinDiscovery: "a discovery session has one connection"
    case .authenticationRequired: "CHAP is required, and the initiator did not offer it"
    case .noCommonAuthenticationMethod: "no common AuthMethod; this target asks for CHAP or None"
    }
  }
}

extension CHAPFailure: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noCommonAlgorithm: "no common hash algorithm"
    case .missingKey(let key): "no \(key)"
    case .malformedValue(let key): "\(key) is malformed"
    case .unknownUser(let user): "no user \"\(user)\""
    case .wrongResponse(let user): "wrong secret for user \"\(user)\""
    case .mutualNotConfigured:
      "the initiator asks for mutual CHAP, and no mutual user is configured"
    case .reflectedChallenge: "the initiator sent one of our own challenges back"
    case .equalSecrets: "both directions have the same secret"
    case .reflectedResponse: "our response would repeat the initiator's"
    case .tooManyChallenges: "too many logins wait for their CHAP response"
    }
  }
}

extension NegotiationFailure: CustomStringConvertible {
  public var description: String {
    switch self {
    case .repeatedKey(let key): "\(key) was negotiated twice"
    case .illegalDeclaration(let pair): "\(pair.key)=\(pair.value) is not a legal declaration"
    case .digestRequired(let key): "this target requires \(key)=CRC32C"
    }
  }
}

extension TextError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missingTerminator: "no NUL at the end"
    case .missingSeparator: "a pair without ="
    case .emptyKey: "an empty key"
    case .keyTooLong(let byteCount): "a key of \(byteCount) bytes"
    case .badCharacterInKey(let byte): "byte 0x\(String(byte, radix: 16)) in a key"
    case .valueTooLong(let key, let byteCount): "\(byteCount) bytes for \(key)"
    case .valueIsNotUTF8(let key): "the value of \(key) is not UTF-8"
    case .duplicateKey(let key): "\(key) occurs twice"
    case .tooManyPairs: "more than \(TextKeys.pairCountMax) pairs"
    case .emptyContinuation: "a continuation of nothing"
    case .tooManyPDUs: "too many pieces"
    case .textTooLong: "too long"
    }
  }
}
