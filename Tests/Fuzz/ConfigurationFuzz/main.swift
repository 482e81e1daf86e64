// Configuration files: any text is a configuration or a list of problems that can be printed, and
// any text that is JSON5 can be edited. As the file of another target it is imported or has a
// problem too.
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
  edit(text)
  for format in ImportFormat.allCases { take(text, format) }
}

/// What is imported loads: the importer proves it, and says so where it was wrong.
func take(_ text: String, _ format: ImportFormat) {
  do throws(ConfigurationError) {
    let imported = try ConfigurationImport.read(
      text: text, fileName: "f", format: format, includes: { _ in [("g", text)] })
    for note in imported.notes { precondition(!note.description.isEmpty) }
  } catch {
    precondition(!error.problems.isEmpty, "an error without a problem")
    precondition(!error.description.contains("does not load"), "an import went wrong")
  }
}

func edit(_ text: String) {
  let targets = ConfigurationPath([.key("targets")])
  let edits: [ConfigurationEdit] = [
    .set(targets.appending("x"), .object([.init("y", .text("z"))])),
    .insert(targets, .null, index: 0), .insert(targets.appending(.index(0)), .list([])),
    .remove(targets.appending(.index(0))), .remove(targets),
    .set(ConfigurationPath([.key("stores")]), .object([.init("a", .object([]))])),
  ]
  guard var document = try? ConfigurationText(text) else { return }
  for edit in edits {
    do throws(ConfigurationEditError) {
      try document.apply(edit)
    } catch {
      precondition(error.kind != .inconsistent, "an edit went wrong")
    }
  }
}
