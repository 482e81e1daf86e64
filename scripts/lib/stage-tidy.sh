# Stage tidy: rules that no compiler knows. Each prints the places where it is broken.
# shellcheck shell=bash
# tracked PATHSPEC...: the files of the project, by git if this is its checkout.
tracked() {
  local path
  if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard -- "$@"
    return
  fi
  for path; do
    if [[ -d $path ]]; then
      find "$path" -type f -print0
    else
      find . -path ./.build -prune -o -type f \( -path "./$path" -o -path "$path" \) -print0
    fi
  done
}

# none PATTERN PATHSPEC...: no line of those files matches.
none() {
  local pattern=$1 found; shift
  found=$(tracked "$@" | xargs -0 -r grep -InE -e "$pattern" --)
  printf '%s' "$found"
  [[ -z $found ]]
}
# A failed assertion does, and is a bug of ours; that no input leads there is what the fuzzers look for.
nothing_ends_the_process() {
  local found
  found=$(tracked 'Sources/*.swift' | grep -zv '/Main\.swift$' |
    xargs -0 -r grep -InE '(^|[^.[:alnum:]_])(fatalError\(|exit\(|abort\(\))' --)
  printf '%s' "$found"
  [[ -z $found ]]
}
short_enough() {
  local long
  long=$(tracked 'Sources/*.swift' 'Tests/*.swift' | xargs -0 -r wc -l | awk '$2 != "total" && $1 > 400 { print $2 ": " $1 " lines" }')
  printf '%s' "$long"
  [[ -z $long ]]
}
# Characters, not bytes. The formatter sees to code and leaves comments alone; it cannot break the texts of
# the program. The sample of a state file is as long as its lines are.
narrow_enough() {
  local wide
  wide=$(tracked 'Sources/*.swift' 'Tests/*.swift' | LC_ALL=C.UTF-8 xargs -0 -r grep -InP '^(?=.{101}) *//' -- |
    grep -vE ':///     [0-9]+ key [0-9a-f]{16} initiator ')
  printf '%s' "$wide"
  [[ -z $wide ]]
}
ends_with_newline() {
  local file bad=0
  while IFS= read -r -d '' file; do
    [[ -s $file && -n $(tail -c 1 "$file") ]] && echo "$file" && bad=1
  done < <(tracked '*.swift' '*.md' '*.sh' '*.json' '*.c' '*.h' scripts)
  return "$bad"
}
# The data plane is free of Foundation; only assembly and configuration may import it.
no_foundation() {
  none '^ *(public |internal |private )?import (Foundation|FoundationEssentials)$' Sources/{AdministrationModel,Bytes,SCSIModel,ISCSIModel,Reactor,BackingStore,SCSITarget,ISCSITarget}
}
# Models import nothing that does I/O, and SCSI never imports iSCSI.
models_are_pure() {
  none '^ *(public |internal )?import (Reactor|BackingStore|SCSITarget|ISCSITarget|Glibc|CLinux)$' Sources/{Administration,SCSI,ISCSI}Model &&
    none '^ *(public |internal )?import ISCSI' Sources/SCSIModel Sources/SCSITarget Sources/BackingStore Sources/Reactor
}
# Only assembly and administration know the configuration; the daemon's program only through assembly.
configuration_is_assembled() {
  local others=() directory
  for directory in Sources/*/; do
    case ${directory%/} in Sources/TargetConfig | Sources/TargetDaemon | Sources/CommandSupport | Sources/ConfigurationChanges | Sources/AdministrationCommands | Sources/TgtCommands | Sources/TargetcliCommands) ;; *) others+=("${directory%/}") ;; esac
  done
  none '^ *(public |internal |private |@testable )?import TargetConfig$' "${others[@]}"
}
# Where the compiler cannot vouch for memory, a reader must: in these files, next to the kernel or in a
# measured hot path. Each more is a decision to be made here.
UNSAFE_FILES=(
  AdministrationClient/AdministrationClient+Answers
  AdministrationCommands/{Doctor/LocalMachine,Program/SystemConsole}
  AdministrationServer/Connections/{FileFacts,Peer,SecretFile,SocketFile,SystemGroup}
  BackingStore/{BlockDeviceDirectory,FileDescriptor+{Map,Store},FoundStore,MemoryStore}
  Bytes/CRC32C
  CommandSupport/Descriptor
  ISCSITarget/Connection/{Outbox,PDUReceiver}
  Reactor/{Buffer,FileDescriptor,ScatterGatherList,SystemError}
  Reactor/Engines/{AIOEngine,BlockingPool,DirectQueue,EngineKernel,InlineReader,Poller,UringEngine,UringQueue,WriteThread}
  Reactor/Sockets/{ListeningSocket,SocketAddress,TransmissionState}
  Reactor/Threads/{PlatformThread,Semaphore}
  TargetConfig/{Editing/TextPair,Import/ImportSource,Loading/{BoundedFile,FilePath,NewFile}}
  TargetDaemon/{Administration/ConfigurationFile,Assembly/{FaultPlan,StoreMedia,StoreSpace},DaemonProcess,Logging/LineLogHandler,Logging/LogQueue}
  TargetDaemon/Process/{ProcessSetup,ServiceManager,SignalThread}
  TargetDaemon/State/{FileAttribute,FileDescriptor+State,LatchMarks,StateDirectory,StateFile,StateFileSystem}
  TargetSimulation/Network/SocketTransfer
  TargetcliCommands/Program/{LineEditor,SystemSurroundings}
  TgtCommands/Program/FileProbe
)
unsafe_is_where_named() {
  local found listed
  found=$(tracked 'Sources/*.swift' | xargs -0 -r grep -lE '^([^/"]|/[^/])*(^|[^[:alnum:]_`])unsafe[ (]' -- | sort)
  listed=$(printf 'Sources/%s.swift\n' "${UNSAFE_FILES[@]}" | sort)
  diff <(echo "$listed") <(echo "$found") | sed -n 's/^> /not listed: /p; s/^< /listed and not needed: /p'
  [[ $found = "$listed" ]]
}
stage_tidy() {
  local marks='TO''DO|FIX''ME|XX''X|HA''CK'
  claim "nothing is left for later in the text" none "(^|[^A-Za-z])($marks)([^A-Za-z]|$)" Sources Tests scripts conf '*.md'
  claim "no trailing white space" none '[[:space:]]+$' Sources Tests scripts conf Package.swift
  claim "no tabs in Swift" none $'\t' Sources/\*.swift Tests/\*.swift
  claim "no forced try and no forced cast in the sources" none '(try!|as!)[^=]' Sources/\*.swift
  claim "T-AVAIL-1 no call but in the programs' mains ends the process" nothing_ends_the_process
  claim "no file of Sources and Tests passes 400 lines" short_enough
  claim "no comment passes 100 columns" narrow_enough
  claim "every text file ends with a line break" ends_with_newline
  claim "the data plane does not import Foundation" no_foundation
  claim "models do no I/O; SCSI knows no iSCSI" models_are_pure
  claim "only assembly and administration import TargetConfig" configuration_is_assembled
  claim "unsafe code is only in the files named for it" unsafe_is_where_named
}
