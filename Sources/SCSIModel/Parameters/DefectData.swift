internal import Bytes

/// The answer of READ DEFECT DATA when there are no defects: a header and no descriptors (SBC-3
/// §5.17.2, §5.18.2). The lists that were asked for are valid, and empty.
///
/// | (10) | (12) | field                                                     |
/// |------|------|-----------------------------------------------------------|
/// | 1    | 1    | bit 4 PLISTV, bit 3 GLISTV, bits 2–0 DEFECT LIST FORMAT   |
/// |      | 2–3  | GENERATION CODE, 0: not kept                              |
/// | 2–3  | 4–7  | DEFECT LIST LENGTH                                        |
public enum DefectData {
  public static func empty(for cdb: CommandDescriptorBlock) -> [UInt8] {
    var writer = ByteWriter(reserving: 8)
    writer.uint8(0)
    writer.uint8(cdb.defectListRequest)
    writer.zeros(cdb.length == 10 ? 2 : 6)
    return writer.bytes
  }
}
