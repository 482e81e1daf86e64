internal import AdministrationModel
internal import FoundationEssentials
internal import Glibc
internal import NIOCore
internal import NIOHTTP1

extension AdministrationClient {
  func decoded<Resource: Decodable>(
    _ request: APIRequest
  ) async throws(AdministrationError) -> Resource {
    let body = try await answer(to: request)
    do {
      return try JSONDecoder().decode(Resource.self, from: body)
    } catch {
      throw AdministrationError(
        request.isChange ? .unanswered : .internal,
        "the answer of the daemon cannot be understood: \(error)",
        remedy: "swift-tgtd and this program may be of different versions")
    }
  }

  /// The body of a successful answer.
  func answer(to request: APIRequest) async throws(AdministrationError) -> Data {
    let timeout = request.method == .GET ? timeout : changeTimeout
    do {
      let (status, body) = try await Exchange(
        socketPath: socketPath, timeout: timeout, request: request
      ).run()
      guard (200..<300).contains(status.code) else {
        throw Self.refusal(status, body)
      }
      return Data(body.readableBytesView)
    } catch {
      throw failure(error, of: request)
    }
  }

  static func refusal(_ status: HTTPResponseStatus, _ body: ByteBuffer) -> AdministrationError {
    let document = try? JSONDecoder().decode(
      ErrorDocument.self, from: Data(body.readableBytesView))
    return document?.error
      ?? AdministrationError(.internal, "the daemon answered HTTP status \(status.code)")
  }

  /// One sentence with the socket, the reason, and what to do.
  func failure(_ error: any Error, of request: APIRequest) -> AdministrationError {
    switch error {
    case let error as AdministrationError: error
    case let error as Unanswered: unanswered(error.cause, request)
    case let error as IOError: unreachable(error)
    case is SocketAddressError:
      AdministrationError(.unavailable, "\(socketPath): the path is too long for a socket")
    case is CancellationError:
      AdministrationError(.unavailable, "the request was given up")
    default:
      AdministrationError(.unavailable, "\(socketPath): \(error)")
    }
  }

  /// What only looks may be asked again; of a change nobody can tell.
  private func unanswered(_ cause: any Error, _ request: APIRequest) -> AdministrationError {
    var failure =
      switch cause {
      case let error as TimedOut: silent(error)
      case is CancellationError:
        AdministrationError(.unavailable, "the request was given up")
      case is ClosedEarly, is IOError, is ChannelError, is HTTPParserError:
        AdministrationError(
          .unavailable, "\(socketPath): the daemon closed the connection without an answer",
          remedy: "journalctl -u swift-tgtd")
      default:
        AdministrationError(.unavailable, "\(socketPath): \(cause)")
      }
    guard request.isChange else { return failure }
    failure.code = .unanswered
    failure.message += "; what was asked for may have been done, or be done yet"
    let advice = "look before asking again: swift-tgtadm status, swift-tgtadm config diff"
    failure.remedy = [failure.remedy, advice].compactMap(\.self).joined(separator: "; ")
    return failure
  }

  private func silent(_ error: TimedOut) -> AdministrationError {
    let seconds = error.timeout.components.seconds
    let words = "\(socketPath): no answer within \(seconds) s"
    let advice = "systemctl status swift-tgtd; journalctl -u swift-tgtd"
    guard let process = error.process else {
      return AdministrationError(.unavailable, words, remedy: advice)
    }
    let daemon = "\(words) from the daemon (process \(process.id))"
    return switch process.state {
    case .stopped:
      AdministrationError(
        .unavailable, daemon + ", which is stopped",
        remedy: "kill -CONT \(process.id) lets it go on")
    case .waiting:
      AdministrationError(
        .unavailable, daemon + ", which the kernel holds up",
        remedy: "see what it waits for: dmesg -T | tail; " + advice)
    case .other:
      AdministrationError(.unavailable, daemon, remedy: advice)
    }
  }

  private func unreachable(_ error: IOError) -> AdministrationError {
    let isRunning = "systemctl status swift-tgtd"
    let advice =
      switch origin {
      case .option: "see whether --socket names the right path; if so: \(isRunning)"
      case .environment:
        "see whether \(AdministrationSocket.environmentVariable) in the environment names the right "
          + "path; if so: \(isRunning)"
      case .standard: isRunning
      }
    return switch error.errnoCode {
    case ENOENT:
      AdministrationError(
        .unavailable, "cannot connect to \(socketPath): there is no such socket",
        remedy: advice)
    case ECONNREFUSED, ENOTSOCK:
      AdministrationError(
        .unavailable,
        "cannot connect to \(socketPath): "
          + (isOtherFile ? "it is not a socket" : "nobody listens there"),
        remedy: advice)
    // The queue of connections stays full.
    case EAGAIN:
      AdministrationError(
        .unavailable, "cannot connect to \(socketPath): the daemon takes no connections",
        remedy: "it may be stopped, or have too much to do: \(isRunning)")
    case EACCES, EPERM:
      AdministrationError(
        .forbidden, "cannot connect to \(socketPath): permission denied",
        remedy: "be root, or of the group that the key \"admin\" names")
    default:
      AdministrationError(
        .unavailable, "cannot connect to \(socketPath): \(error)", remedy: advice)
    }
  }

  /// Linux refuses the connection to any other file as it does where nobody listens (unix(7)).
  private var isOtherFile: Bool {
    var facts = stat()
    guard unsafe stat(socketPath, &facts) == 0 else { return false }
    return facts.st_mode & S_IFMT != S_IFSOCK
  }
}
