import AdministrationModel
import Testing

@Suite("Histograms of the API")
struct LatencyHistogramTests {
  @Test("Percentiles lie within the bucket that holds them")
  func percentiles() {
    var histogram = LatencyHistogram(boundsMicroseconds: [100, 200, 400], counts: [50, 40, 8, 2])
    #expect(histogram.count == 100)
    #expect(histogram.percentileMicroseconds(0.5) == 100)
    #expect(histogram.percentileMicroseconds(0.7) == 150)
    #expect(histogram.percentileMicroseconds(0.98) == 400)
    #expect(histogram.percentileMicroseconds(0.99) == 400)
    #expect(histogram.percentileMicroseconds(7) == 400)
    histogram.counts = [0, 0, 0, 0]
    #expect(histogram.percentileMicroseconds(0.5) == nil)
    #expect(LatencyHistogram(boundsMicroseconds: [], counts: []).percentileMicroseconds(0.5) == nil)
  }

  @Test("A histogram since an earlier one has what came between")
  func since() {
    let earlier = LatencyHistogram(boundsMicroseconds: [10], counts: [1, 2], sumMicroseconds: 30)
    let later = LatencyHistogram(boundsMicroseconds: [10], counts: [4, 2], sumMicroseconds: 50)
    #expect(later.since(earlier).counts == [3, 0])
    #expect(later.since(earlier).sumMicroseconds == 20)
    let other = LatencyHistogram(boundsMicroseconds: [20], counts: [1, 1])
    #expect(later.since(other) == later)
  }
}
