// Configuration files: any text is a configuration or a list of problems that can be printed.
import FuzzDriver
import TargetConfig

fuzz { bytes in
  let text = String(decoding: bytes, as: UTF8.self)
  do throws(ConfigurationError) {
    let loaded = try ConfigurationLoader.load(text: text, permissions: .unchecked)
    _ = ConfigurationSummary.text(loaded)
  } catch {
    precondition(!error.problems.isEmpty, "an error without a problem")
    for problem in error.problems { precondition(!problem.description.isEmpty) }
  }
}
