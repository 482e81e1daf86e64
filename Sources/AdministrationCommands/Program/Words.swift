public import ArgumentParser
public import TargetConfig

// Values of options that are one of a few words: another is wrong usage, and told with those that
// there are, before anybody is asked.

extension TargetConfiguration.CacheMode: ExpressibleByArgument {}

extension TargetConfiguration.DiscardMode: ExpressibleByArgument {}

/// Bytes of a logical block.
enum BlockSize: Int, CaseIterable, ExpressibleByArgument {
  case small = 512
  case large = 4096

  var bytes: Int { rawValue }
}
