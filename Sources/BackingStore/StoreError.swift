public import Reactor

/// Why a store cannot be opened: a sentence for the administrator, with the path, the value and
/// what to do.
public struct StoreError: Error, Sendable, Equatable {
  public enum Reason: Sendable, Equatable {
    case invalidPath
    case invalidBlockSize(UInt32)
    case invalidPhysicalBlockSize(UInt32, blockSize: UInt32)
    case empty
    /// A device that has no bytes: nothing is in the drive, or behind it.
    case noMedium
    case tooLarge(UInt64)
    case partialBlock(UInt64, blockSize: UInt32)
    case missing
    /// A file that may not be made anew: it was there before.
    case lost
    case missingDevice
    /// Of a file that would be made: there is no place for it.
    case missingDirectory(String)
    case wrongType(String)
    case notOfKind(StoreKind)
    case linkToFile
    /// Whoever opens stores has it for something else: a sentence without its subject.
    case reserved(String)
    case replaced
    /// Larger than configured: what lies past the end would be cut off from its initiator.
    case largerThanConfigured(actual: UInt64, configured: UInt64)
    case smallerThanConfigured(actual: UInt64, configured: UInt64)
    case deviceSizeDiffers(actual: UInt64, configured: UInt64)
    /// Another process cut the file while this one waited for the lock.
    case shrank(actual: UInt64, presented: UInt64)
    /// What happened to the file is to be mended first.
    case endangered(MediumDanger)
    /// Only the file of a store is resized; a device is what it is.
    case notResizable
    /// What lies past the new end would be lost.
    case wouldShrink(from: UInt64, to: UInt64)
    case inUse
    /// Nothing has come of it in the time there was: its disk hangs, or is slow.
    case unanswered
    case sectorLargerThanBlock(sector: UInt32, blockSize: UInt32, cacheMode: CacheMode)
    case directAlignment(required: UInt32, blockSize: UInt32, cacheMode: CacheMode)
    case noDirectAccess(CacheMode)
    case system(call: String, SystemError)
  }

  public let path: String
  public let reason: Reason

  public init(_ path: String, _ reason: Reason) {
    self.path = path
    self.reason = reason
  }
}

extension StoreError: CustomStringConvertible {
  public var description: String { "\(path): \(sentence)" }

  private var sentence: String {
    switch reason {
    case .invalidPath: "is not a path"
    case .invalidBlockSize(let bytes): "block size \(bytes) is not 512 or 4096"
    case .invalidPhysicalBlockSize(let bytes, let blockSize):
      """
      physical block size \(bytes) is not a power of two from the block size (\(blockSize)) to \
      \(StoreOptions.physicalBlockBytesMax)
      """
    case .empty: "has no blocks; give a size and it is extended"
    case .noMedium:
      "is a device of 0 bytes: no medium is in it, or behind it; lsblk tells the sizes"
    case .tooLarge(let bytes): "\(bytes) bytes is more than a file can hold"
    case .partialBlock(let bytes, let blockSize):
      "\(bytes) bytes is not a multiple of the block size, \(blockSize)"
    case .reserved(let sentence): sentence
    case .missing, .lost, .missingDevice, .missingDirectory, .wrongType, .notOfKind, .linkToFile,
      .replaced, .inUse, .unanswered:
      typeSentence
    case .largerThanConfigured, .smallerThanConfigured, .deviceSizeDiffers, .shrank, .endangered,
      .notResizable, .wouldShrink:
      sizeSentence
    case .sectorLargerThanBlock, .directAlignment, .noDirectAccess: directSentence
    case .system("ftruncate", .fileTooLarge):
      "its file system takes no file of that size: give a smaller one, or take another file system"
    case .system(let call, let error): "\(call) failed: \(error)"
    }
  }

  private var typeSentence: String {
    switch reason {
    case .missing: "does not exist; give a size and it is created, sparse"
    case .lost:
      """
      does not exist, and the store is not new, so no empty one is made in its place: mount its file \
      system, or put the file back; to begin anew with an empty disk, make an empty file \
      there (touch)
      """
    case .missingDevice:
      "does not exist, and files are not created under /dev; lsblk lists the devices"
    case .missingDirectory(let directory):
      "the directory \(directory) is missing: make it, or mount what belongs there"
    case .wrongType(let type): "is a \(type), not a regular file or a block device"
    case .notOfKind(.file): "is a block device, but a file was configured"
    case .notOfKind(.blockDevice): "is a regular file, but a block device was configured"
    case .linkToFile:
      "is a symbolic link to a file; give the file's own path (links may name block devices only)"
    case .replaced: "was replaced by something else while it was opened; try again"
    case .unanswered: "does not answer: its disk hangs, or is slow"
    default: "is in use: mounted, or part of a RAID, LVM or multipath device; release it first"
    }
  }

  private var sizeSentence: String {
    switch reason {
    case .largerThanConfigured(let actual, let configured):
      """
      the file has \(actual) bytes, the configured size is \(configured); a store is never cut: \
      configure \(actual) or shrink the file yourself
      """
    case .smallerThanConfigured(let actual, let configured):
      """
      the file has \(actual) bytes, the configured size is \(configured); a read-only store is not \
      extended
      """
    case .deviceSizeDiffers(let actual, let configured):
      """
      the device has \(actual) bytes, the configured size is \(configured); leave the size out to \
      present the device as it is
      """
    case .shrank(let actual, let presented):
      "another process cut the file to \(actual) bytes; \(presented) are presented"
    case .endangered(let danger): "the store gets no other size: \(danger)"
    case .notResizable:
      "only a file that is open for writing and locked can be given another size"
    case .wouldShrink(let before, let after):
      "has \(before) bytes, and \(after) would cut off what lies behind; allow shrinking to do so"
    default: ""
    }
  }

  private var directSentence: String {
    switch reason {
    case .sectorLargerThanBlock(let sector, let blockSize, let mode):
      """
      the device has \(sector)-byte sectors, the configured block size is \(blockSize): configure \
      blockSize \(sector) or cache "\(mode.buffered.rawValue)"
      """
    case .directAlignment(let required, let blockSize, let mode):
      """
      cache "\(mode.rawValue)" needs transfers aligned to \(required) bytes here, the block size \
      is \(blockSize): configure \(required <= 4096 ? "blockSize 4096 or " : "")cache \
      "\(mode.buffered.rawValue)"
      """
    case .noDirectAccess(let mode):
      """
      this file system cannot bypass the page cache (O_DIRECT) as cache "\(mode.rawValue)" asks: \
      configure cache "\(mode.buffered.rawValue)"
      """
    default: ""
    }
  }
}

extension CacheMode {
  /// The mode with the same promises that goes through the page cache.
  fileprivate var buffered: CacheMode { startsWithWriteCache ? .writeback : .writethrough }
}
