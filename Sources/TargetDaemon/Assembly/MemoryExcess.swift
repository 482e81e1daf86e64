internal import TargetConfig

extension TargetConfiguration {
  /// That its stores in memory have more, all together, than the machine; nil: they have not. They
  /// take memory only as they are written, so it is no reason to refuse them.
  func memoryExcess(
    physicalMemoryBytes: UInt64 = ProcessSetup.physicalMemoryBytes
  ) -> String? {
    let bytes = stores.filter { $0.medium == .memory }.reduce(UInt64(0)) { sum, store in
      let (total, overflows) = sum.addingReportingOverflow(store.sizeBytes ?? 0)
      return overflows ? .max : total
    }
    guard bytes > physicalMemoryBytes else { return nil }
    let machine = ByteSize.description((physicalMemoryBytes >> 20) << 20)
    return "the stores in memory have \(ByteSize.description(bytes)) in all, and this machine has "
      + "\(machine): the kernel may end the daemon as they fill; make them smaller, or put them "
      + "into files"
  }
}
