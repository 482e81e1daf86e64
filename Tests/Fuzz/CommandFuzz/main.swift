// CDBs and parameter lists: validation and decoding agree, and no length or address traps.
import FuzzDriver
import SCSIModel

let table = CommandTable.standard

fuzz { bytes in
  let block = CommandDescriptorBlock(bytes)
  let complaint = table.validate(block)
  let isDecoded = (try? table.decode(block)) != nil
  precondition(isDecoded == (complaint == nil), "validate and decode differ on \(bytes)")
}
