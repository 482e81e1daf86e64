import Bytes
import ISCSIModel
import Testing

@Suite("Data-In sequence")
struct DataInSequenceTests {
  private let parameters = DataTransferParameters(
    maxBurstLength: 2500, initiatorMaxRecvDataSegmentLength: 1000)

  @Test("Pieces respect both lengths, F ends each burst, and status rides on the last")
  func pieces() {
    var sequence = DataInSequence(length: 5100, parameters: parameters, collapsesStatus: true)
    var seen: [String] = []
    while let piece = sequence.next() {
      seen.append(
        "\(piece.dataSN) \(piece.bufferOffset)+\(piece.length)"
          + (piece.isFinal ? " F" : "") + (piece.isLast ? " last" : "")
          + (piece.carriesStatus ? " S" : ""))
    }
    #expect(
      seen == [
        "0 0+1000", "1 1000+1000", "2 2000+500 F", "3 2500+1000", "4 3500+1000", "5 4500+500 F",
        "6 5000+100 F last S",
      ])
    #expect(sequence.isFinished && sequence.expDataSN.rawValue == 7)
  }

  @Test(
    "Every length comes out whole, without a hole", arguments: [UInt32(1), 999, 1000, 2500, 7500])
  func whole(length: UInt32) {
    var sequence = DataInSequence(length: length, parameters: parameters, collapsesStatus: false)
    var (offset, lasts) = (0, 0)
    while let piece = sequence.next() {
      #expect(Int(piece.bufferOffset) == offset && piece.length > 0 && !piece.carriesStatus)
      offset += piece.length
      #expect(piece.isFinal == (offset % 2500 == 0 || offset == Int(length)))
      lasts += piece.isLast ? 1 : 0
    }
    #expect(offset == Int(length) && lasts == 1)
  }

  @Test("A read of nothing has no Data-In")
  func empty() {
    var sequence = DataInSequence(length: 0, parameters: parameters, collapsesStatus: true)
    #expect(sequence.isFinished && sequence.next() == nil && sequence.expDataSN.rawValue == 0)
  }
}
