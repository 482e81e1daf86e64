import Testing

@testable import TargetConfig

@Suite("Values")
struct ValueTests {
  @Test(
    "Sizes are exact in both unit systems",
    arguments: [
      ("200GiB", 214_748_364_800), ("64 MiB", 67_108_864), ("1TB", 1_000_000_000_000),
      ("1.5KiB", 1536), ("512", 512), ("512B", 512), ("4kib", 4096),
      ("7EiB", 8_070_450_532_247_928_832),
    ] as [(String, UInt64)])
  func sizes(text: String, bytes: UInt64) throws {
    #expect(try ByteSize.parse(text) == bytes)
  }

  @Test(
    "A size that could be misunderstood or held inexactly is refused with what to write",
    arguments: [
      ("200G", #"is ambiguous: write "200GiB" (powers of 1024) or "200GB" (powers of 1000)"#),
      ("-5MiB", #"is not a size: write for example "64MiB" or "200GiB""#),
      ("big", #"is not a size: write for example "64MiB" or "200GiB""#),
      (
        "5 foo",
        #"has the unknown unit "foo": write KiB, MiB, GiB, TiB, PiB or EiB (powers of 1024), or KB, MB, GB, TB (powers of 1000)"#
      ),
      ("8EiB", "is more than 8EiB, the largest file offset"),
      ("99999999999999999999", "is more than 8EiB, the largest file offset"),
      ("17000000000EiB", "is more than 8EiB, the largest file offset"),
      ("0.1KiB", "is not a whole number of bytes"),
      ("1.2.3KiB", "is not a number with a unit"),
      (".5GiB", "is not a number with a unit"),
    ])
  func badSizes(text: String, sentence: String) {
    let error = #expect(throws: ByteSize.ParseError.self) { try ByteSize.parse(text) }
    #expect(error?.sentence == sentence)
  }

  @Test("What a size prints, it reads")
  func sizeRoundTrip() throws {
    for bytes in [1, 512, 1000, 1536, 1 << 30, 3 << 40, UInt64(Int64.max)] as [UInt64] {
      #expect(try ByteSize.parse(ByteSize.description(bytes)) == bytes)
    }
  }

  @Test(
    "Addresses print canonically",
    arguments: [
      ("192.0.2.1", "192.0.2.1"), ("::", "::"), ("::1", "::1"),
      ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
      ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("::ffff:192.0.2.1", "192.0.2.1"),
      ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("fe80::1%eth0", "fe80::1%eth0"),
      ("1::", "1::"),
    ])
  func addresses(text: String, canonical: String) throws {
    let address = try #require(InternetAddress(text))
    #expect(address.description == canonical)
  }

  @Test(
    "What is no address is refused",
    arguments: [
      "", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.+4", "host", ":", ":::", "1::2::3",
      "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::", "1.2.3.4::", "::1%",
      "::g", "::+1",
    ])
  func badAddresses(text: String) {
    #expect(InternetAddress(text) == nil)
  }

  @Test("A network contains its addresses, also when they arrive mapped into IPv6, and no others")
  func networks() throws {
    let network = try AddressPattern(parsing: "192.168.90.0/23")
    #expect(network.contains(try #require(InternetAddress("::ffff:192.168.91.255"))))
    #expect(!network.contains(try #require(InternetAddress("192.168.92.0"))))
    #expect(!network.contains(try #require(InternetAddress("::1"))))
    let all = try AddressPattern(parsing: "::/0")
    #expect(all.contains(try #require(InternetAddress("2001:db8::1"))))
    #expect(!all.contains(try #require(InternetAddress("192.0.2.1"))))
    #expect(
      try AddressPattern(parsing: "2001:db8::/33").contains(
        AddressPattern(parsing: "2001:db8:7fff::/48")))
    #expect(
      try !AddressPattern(parsing: "2001:db8::/33").contains(
        AddressPattern(parsing: "2001:db8::/32")))
  }

  @Test("A secret shows itself in no description, dump or reflection")
  func redaction() {
    let credential = TargetConfiguration.Credential(user: "u", secret: Secret("hidden-secret"))
    var dumped = ""
    dump(credential, to: &dumped)
    for text in ["\(credential)", String(reflecting: credential), dumped] {
      #expect(text.contains("<redacted>"))
      #expect(!text.contains("hidden"))
      #expect(!text.contains("104"))  // "h" as a byte
    }
  }

  @Test("A misspelled key is recognised, an unrelated one is not")
  func suggestions() {
    let keys = ["lun", "store", "readOnly"]
    #expect(EditDistance.suggestion(for: "read_only", among: keys) == "readOnly")
    #expect(EditDistance.suggestion(for: "sotre", among: keys) == "store")
    #expect(EditDistance.suggestion(for: "password", among: keys) == nil)
  }
}
