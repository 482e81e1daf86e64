internal import AdministrationModel

/// The interactive shell, which scripts pipe commands into, too.
enum Shell {
  /// Until `exit` or the end of the input. 1: the daemon cannot be reached, or what was done could
  /// not be saved. A command that fails is told, and the next one runs.
  static func run(
    _ session: inout Session, _ complete: (@escaping @Sendable (String) -> [String]) -> Void
  ) async -> Int32 {
    let surroundings = session.surroundings
    do {
      let version = try await session.daemon.version()
      try await session.refresh()
      if surroundings.isInteractive {
        surroundings.write(
          "targetcli shell version \(version.version) (\(version.name))\n"
            + "For help on commands, type 'help'.\n\n")
      }
    } catch {
      surroundings.complain(Program.message(error) + "\n")
      return 1
    }
    while !session.wantsExit {
      complete(candidates(session))
      let length = max(8, session.preferences.number("prompt_length"))
      guard let line = surroundings.readLine(prompt: session.path.shortened(to: length) + "> ")
      else { break }
      do {
        try await session.run(line)
        try await session.refresh()
        leaveWhatIsGone(&session)
      } catch {
        surroundings.complain(Program.message(error) + "\n")
      }
    }
    return await end(&session)
  }

  private static func candidates(_ session: Session) -> @Sendable (String) -> [String] {
    let completion = Completion(
      tree: session.lastState.tree, path: session.path,
      bookmarks: session.preferences.bookmarks.mapValues { NodePath($0) })
    return { completion.candidates($0) }
  }

  /// Up to the nearest node that is still there.
  private static func leaveWhatIsGone(_ session: inout Session) {
    let tree = session.lastState.tree
    while tree.node(at: session.path) == nil { session.path.names.removeLast() }
  }

  private static func end(_ session: inout Session) async -> Int32 {
    guard session.preferences.isSet("auto_save_on_exit") else { return 0 }
    session.surroundings.write("Global pref auto_save_on_exit=true\n")
    do {
      session.path = .root
      try await session.run("saveconfig")
      return 0
    } catch {
      session.surroundings.complain(Program.message(error) + "\n")
      return 1
    }
  }
}
