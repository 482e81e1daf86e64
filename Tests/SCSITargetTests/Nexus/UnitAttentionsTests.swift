import SCSIModel
import Testing

@testable import SCSITarget

/// What an initiator has still to hear of, by itself.
@Suite("Unit attentions")
struct UnitAttentionsTests {
  private func conditions(_ attentions: UnitAttentions) -> [SenseData] {
    var attentions = attentions
    var all: [SenseData] = []
    while let next = attentions.take() { all.append(next) }
    return all
  }

  @Test("A condition is queued once, after the older ones")
  func order() {
    var attentions = UnitAttentions()
    #expect(attentions.isEmpty && attentions.first == nil && attentions.take() == nil)
    for condition in [
      SenseData.modeParametersChanged, .timestampChanged, .modeParametersChanged,
    ] {
      attentions.establish(condition)
    }
    #expect(attentions.count == 2)
    #expect(conditions(attentions) == [.modeParametersChanged, .timestampChanged])
  }

  @Test("What tells of a reset comes before the rest, and after older resets")
  func resets() {
    var attentions = UnitAttentions()
    attentions.establish(.modeParametersChanged)
    #expect(!attentions.isResetPending)
    attentions.establish(.powerOnOccurred)
    attentions.establish(.nexusLossOccurred)
    #expect(attentions.isResetPending)
    #expect(
      conditions(attentions) == [.powerOnOccurred, .nexusLossOccurred, .modeParametersChanged])
    attentions.replace(with: .busDeviceResetFunctionOccurred)
    #expect(conditions(attentions) == [.busDeviceResetFunctionOccurred])
  }

  @Test("A condition that was taken and not told comes before the younger ones of its kind, once")
  func restored() {
    var attentions = UnitAttentions()
    attentions.establish(.timestampChanged)
    attentions.restore(.modeParametersChanged)
    attentions.restore(.timestampChanged)
    attentions.establish(.nexusLossOccurred)
    attentions.restore(.powerOnOccurred)
    #expect(
      conditions(attentions) == [
        .powerOnOccurred, .nexusLossOccurred, .modeParametersChanged, .timestampChanged,
      ])
  }

  @Test("A condition that was told of in another way is dropped, and only that one")
  func withdrawal() {
    var attentions = UnitAttentions()
    attentions.establish(.reportedLUNsDataHasChanged)
    attentions.establish(.timestampChanged)
    attentions.withdraw(.reportedLUNsDataHasChanged)
    #expect(conditions(attentions) == [.timestampChanged])
  }

  @Test("One condition too many makes a reset of all before it")
  func bound() {
    var attentions = UnitAttentions()
    func condition(_ number: Int) -> SenseData {
      SenseData(.unitAttention, asc: 0x3F, ascq: UInt8(number))
    }
    for number in 0..<UnitAttentions.countMax { attentions.establish(condition(number)) }
    #expect(attentions.count == UnitAttentions.countMax)
    attentions.establish(condition(0))
    #expect(attentions.count == UnitAttentions.countMax, "one that is known is no further one")
    let last = condition(UnitAttentions.countMax)
    attentions.establish(last)
    #expect(conditions(attentions) == [.powerOnResetOrBusDeviceResetOccurred, last])
  }
}
