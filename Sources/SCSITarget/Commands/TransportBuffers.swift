internal import Reactor
internal import SCSIModel

// READ BUFFER and WRITE BUFFER (SPC-4 §6.18, §6.49): a data buffer and an echo buffer, to try the
// transport with.

/// What WRITE BUFFER left in the buffers of one logical unit on one reactor: of the few nexuses
/// that wrote last, so that the memory grows with the units there are and not with the sessions.
struct TransportBuffers {
  /// Nexuses that have buffers at a time, each 8 KiB at most. An initiator tries its transport when
  /// it meets the unit, for a moment; that as many do at once is rare.
  static let nexusesMax = 16

  struct Contents {
    /// `LogicalUnitNexus.number` of the writer.
    var nexus: UInt64
    var echo: [UInt8]?
    /// As far as it was written.
    var data: [UInt8] = []
  }

  /// The one who wrote last comes last.
  private(set) var all: [Contents] = []

  subscript(_ nexus: LogicalUnitNexus) -> Contents? {
    all.first { $0.nexus == nexus.number }
  }

  /// Changes the buffers of `nexus`. Of too many those that nobody has written to for longest are
  /// lost.
  mutating func write(_ nexus: LogicalUnitNexus, _ change: (inout Contents) -> Void) {
    var contents = self[nexus] ?? Contents(nexus: nexus.number)
    forget(nexus)
    if all.count >= TransportBuffers.nexusesMax { all.removeFirst() }
    change(&contents)
    all.append(contents)
  }

  mutating func forget(_ nexus: LogicalUnitNexus) { all.removeAll { $0.nexus == nexus.number } }
}

extension DeviceServer {
  func readBuffer(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    let contents = transportBuffers[nexus]
    switch task.cdb.bufferMode {
    case .descriptor:
      answer(task, BufferMode.descriptorData(ofBuffer: task.cdb.bufferIdentifier))
    case .echoDescriptor: answer(task, BufferMode.echoDescriptorData)
    case .data:
      let written = contents?.data ?? []
      let zeros = [UInt8](repeating: 0, count: BufferMode.capacity - written.count)
      answer(task, Array((written + zeros).dropFirst(task.cdb.bufferOffset)))
    case .echo:
      // SPC-4 §6.18.8: as much as the last WRITE BUFFER of this nexus brought, or nothing.
      if let echo = contents?.echo { return answer(task, echo) }
      end(task, nexus.hasWrittenEcho ? .echoBufferOverwritten : .commandSequenceError)
    case nil: end(task, .invalidFieldInCDB(byte: 1, bit: 4))
    }
  }

  func writeBuffer(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    do throws(SenseData) {
      let bytes = try parameterList(of: task)
      let isEcho = task.cdb.bufferMode == .echo
      let offset = task.cdb.bufferOffset
      transportBuffers.write(nexus) { contents in
        if isEcho { contents.echo = bytes } else { contents.store(bytes, at: offset) }
      }
      if isEcho { nexus.hasWrittenEcho = true }
      end(task, .good)
    } catch {
      end(task, error)
    }
  }
}

extension TransportBuffers.Contents {
  /// The table has refused what would end past the buffer's capacity.
  fileprivate mutating func store(_ bytes: [UInt8], at offset: Int) {
    precondition(offset + bytes.count <= BufferMode.capacity, "the data fits the buffer")
    let missing = offset + bytes.count - data.count
    if missing > 0 { data += [UInt8](repeating: 0, count: missing) }
    data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
  }
}
