// The compiler's proof that decoding allocates nothing, takes no lock and counts no reference. In
// release builds only: unoptimized ones do not see into the loads of `Bytes`.
#if !DEBUG
  extension CommandTable {
    /// What the I/O path of a read-only unit does with a CDB before the store: decode, check, find
    /// the blocks, and encode the refusal.
    @_noLocks
    func refusalWithoutAllocation(
      _ field: InlineArray<16, UInt8>, capacity: BlockCount, format: SenseFormat
    ) -> EncodedSenseData? {
      let cdb = CommandDescriptorBlock(field)
      do throws(SenseData) {
        let row = self[try decode(cdb)]
        if let range = cdb.blockRange(row.blocks), !range.isWithin(capacity) {
          throw .logicalBlockAddressOutOfRange
        }
        if row.traits.contains(.writesMedium), row.direction(for: cdb) == .dataOut {
          throw .writeProtected
        }
        return nil
      } catch {
        return error.encoded(format)
      }
    }
  }
#endif
