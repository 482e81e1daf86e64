internal import Reactor
internal import SCSIModel

// SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS (SPC-4 §6.42, §6.31): the default self-test and the
// list of pages. READ BUFFER and WRITE BUFFER (SPC-4 §6.18, §6.49): buffers of the nexus, to try the
// transport with.
extension DeviceServer {
  func sendDiagnostic(_ task: SCSITask) {
    // SPC-4 §6.42: a self-test takes no parameters. That the unit is ready was its test.
    if task.cdb.isSelfTest {
      return task.transferLength == 0
        ? end(task, .good) : end(task, .invalidFieldInCDB(byte: 3, bit: 7))
    }
    do throws(SenseData) {
      let list = try parameterList(of: task)
      if !list.isEmpty {
        guard task.cdb.isPageFormat else { throw .invalidFieldInCDB(byte: 1, bit: 4) }
        guard list.count >= 4 else { throw .parameterListLengthError }
        // Supported diagnostic pages, 00h: its request has no contents (SPC-4 §7.2.9).
        if let byte = list.prefix(4).firstIndex(where: { $0 != 0 }) {
          throw .invalidFieldInParameterList(byte: byte == 3 ? 2 : byte, bit: 7)
        }
        guard list.count == 4 else { throw .parameterListLengthError }
      }
      end(task, .good)
    } catch {
      end(task, error)
    }
  }

  /// With PCV or without, the one page there is: 00h, which lists itself.
  func receiveDiagnosticResults(_ task: SCSITask) {
    guard !task.cdb.isPageCodeValid || task.cdb.bytes[2] == 0 else {
      return end(task, .invalidFieldInCDB(byte: 2, bit: 7))
    }
    answer(task, [0, 0, 0, 1, 0])
  }

  func readBuffer(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    switch task.cdb.bufferMode {
    case .descriptor: answer(task, BufferMode.descriptorData)
    case .echoDescriptor: answer(task, BufferMode.echoDescriptorData)
    case .data:
      let written = nexus.dataBuffer
      let zeros = [UInt8](repeating: 0, count: BufferMode.capacity - written.count)
      answer(task, Array((written + zeros).dropFirst(task.cdb.bufferOffset)))
    case .echo:
      // SPC-4 §6.18.8: as much as the last WRITE BUFFER brought.
      guard let echo = nexus.echoBuffer else { return end(task, .commandSequenceError) }
      answer(task, echo)
    case nil: end(task, .invalidFieldInCDB(byte: 1, bit: 4))
    }
  }

  func writeBuffer(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    do throws(SenseData) {
      let data = try parameterList(of: task)
      if task.cdb.bufferMode == .echo {
        nexus.echoBuffer = data
      } else {
        nexus.writeData(data, at: task.cdb.bufferOffset)
      }
      end(task, .good)
    } catch {
      end(task, error)
    }
  }
}

extension LogicalUnitNexus {
  /// The table has refused what would end past the buffer's capacity.
  fileprivate func writeData(_ data: [UInt8], at offset: Int) {
    precondition(offset + data.count <= BufferMode.capacity, "the data fits the buffer")
    let missing = offset + data.count - dataBuffer.count
    if missing > 0 { dataBuffer += [UInt8](repeating: 0, count: missing) }
    dataBuffer.replaceSubrange(offset..<offset + data.count, with: data)
  }
}
