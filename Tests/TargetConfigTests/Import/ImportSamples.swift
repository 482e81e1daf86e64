import Testing

@testable import TargetConfig

/// Files as administrators have them, each with what can be kept and what cannot.
enum ImportSample {
  static let all: [(format: ImportFormat, text: String)] = [
    (.targetsConf, targetsConf), (.saveconfig, saveconfig), (.scst, scst), (.ctl, ctl),
  ]

  static let targetsConf = """
    # Cluster storage
    include /etc/tgt/conf.d/*.conf
    default-driver iscsi
    ignore-errors yes
    iSNS On
    incomingdiscoveryuser disc discovery-pass1
    outgoingdiscoveryuser tgtdisc discovery-pass2

    <target iqn.2026-11.com.example:b-quorum>
        controller_tid 7
        <backing-store /srv/iscsi/quorum1.img>
            lun 3
            scsi_id quorum-disk-0001
            scsi_sn Q0001
            vendor_id ACME
            product_id QUORUM
            product_rev 0002
            write-cache off
            block-size 4096
            removable 1
        </backing-store>
        backing-store /dev/vg0/data
        <direct-store /dev/sdc>
            readonly 1
            allow-in-use yes
            mode_page 8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0
        </direct-store>
        <backing-store /srv/iscsi/tape>
            device-type tape
        </backing-store>
        bsoflags direct
        initiator-address 192.168.90.0/24
        initiator-address 10.1.2.3
        initiator-name iqn.2026-11.com.example:node1
        incominguser node secret-of-nodes
        incominguser other secret-of-others
        outgoinguser target secret-of-target
        outgoinguser target2 secret-of-target2
        MaxBurstLength 524288
        HeaderDigest CRC32C
        ErrorRecoveryLevel 2
        nop_interval 5
        nop_count 3
    </target>

    <target iqn.2026-11.com.example:a-open>
        backing-store /srv/iscsi/open.img    # one line
    </target>
    <target iqn.2026-11.com.example:offline>
        backing-store /srv/iscsi/off.img
        state offline
    </target>
    """

  static let saveconfig = """
    {
      "fabric_modules": [
        {"discovery_enable_auth": true, "discovery_password": "discovery-pass1",
         "discovery_userid": "disc", "name": "iscsi"}
      ],
      "storage_objects": [
        {
          "alua_tpgs": [{"alua_access_state": 0, "name": "default_tg_pt_gp", "tg_pt_gp_id": 0}],
          "attributes": {"block_size": 512, "emulate_3pc": 1, "emulate_model_alias": 1,
            "emulate_tpu": 1, "emulate_write_cache": 1, "emulate_caw": 0, "queue_depth": 128},
          "dev": "/srv/iscsi/disk1.img",
          "name": "disk1",
          "plugin": "fileio",
          "size": 1073741824,
          "write_back": true,
          "wwn": "f6a4c1c2-2f5b-4b0d-9b5e-0a1b2c3d4e5f"
        },
        {
          "attributes": {"block_size": 4096, "emulate_tpu": 0, "emulate_write_cache": 0},
          "dev": "/dev/vg0/data",
          "name": "data",
          "plugin": "block",
          "readonly": true,
          "wwn": "0c8b1f4a-1111-2222-3333-444455556666"
        },
        {"name": "scratch", "plugin": "ramdisk", "size": 67108864, "wwn": "aaaa-bbbb"},
        {"name": "image", "plugin": "user", "config": "rbd/pool/image", "size": 1048576,
         "wwn": "1234"},
        {"name": "tape", "plugin": "pscsi", "dev": "/dev/st0"}
      ],
      "targets": [
        {
          "fabric": "iscsi",
          "wwn": "iqn.2003-01.org.linux-iscsi.host:sn.1",
          "tpgs": [
            {
              "attributes": {"authentication": 1, "cache_dynamic_acls": 1,
                "default_cmdsn_depth": 32, "generate_node_acls": 0, "login_timeout": 30},
              "enable": true,
              "luns": [
                {"alias": "x1", "index": 0, "storage_object": "/backstores/fileio/disk1"},
                {"alias": "x2", "index": 1, "storage_object": "/backstores/block/data"},
                {"alias": "x3", "index": 2, "storage_object": "/backstores/user/image"}
              ],
              "node_acls": [
                {
                  "attributes": {"dataout_timeout": 3, "nopin_timeout": 20},
                  "chap_mutual_password": "secret-of-target",
                  "chap_mutual_userid": "target",
                  "chap_password": "secret-of-node1",
                  "chap_userid": "node1",
                  "mapped_luns": [
                    {"alias": "m1", "index": 5, "tpg_lun": 0, "write_protect": false},
                    {"alias": "m2", "index": 6, "tpg_lun": 0, "write_protect": true}
                  ],
                  "node_wwn": "iqn.2026-11.com.example:node1"
                },
                {"mapped_luns": [], "node_wwn": "iqn.2026-11.com.example:nouser"}
              ],
              "parameters": {"AuthMethod": "CHAP", "HeaderDigest": "CRC32C",
                "MaxRecvDataSegmentLength": "8192", "ErrorRecoveryLevel": "1"},
              "portals": [{"ip_address": "192.168.90.140", "iser": false, "port": 3260},
                {"ip_address": "[2001:db8::140]", "iser": true, "port": 3260}],
              "tag": 1
            },
            {"enable": true, "tag": 2, "luns": [], "node_acls": [], "portals": []}
          ]
        },
        {
          "fabric": "iscsi",
          "wwn": "iqn.2003-01.org.linux-iscsi.host:demo",
          "tpgs": [
            {
              "attributes": {"authentication": 0, "demo_mode_write_protect": 1,
                "generate_node_acls": 1},
              "chap_password": "left-over-secret", "chap_userid": "leftover",
              "enable": true,
              "luns": [{"index": 0, "storage_object": "/backstores/ramdisk/scratch"}],
              "node_acls": [],
              "portals": [{"ip_address": "0.0.0.0", "port": 3261}],
              "tag": 1
            }
          ]
        },
        {"fabric": "vhost", "wwn": "naa.5001405", "tpgs": []}
      ]
    }
    """

  static let scst = """
    # Automatically generated by SCST Configurator
    setup_id 0x1234

    HANDLER dev_disk {
        DEVICE 1:0:0:0
    }
    HANDLER vdisk_fileio {
        DEVICE disk1 {
            filename /srv/iscsi/disk1.img
            naa_id 0x6001405aabbccdd00112233445566778
            usn D0001
            t10_vend_id ACME
            prod_id FAST
            nv_cache 1
            threads_num 4
        }
    }
    HANDLER vdisk_blockio {
        DEVICE quorum {
            filename /dev/vg0/quorum
            write_through 1
            blocksize 4096
            read_only 1
        }
    }
    TARGET_DRIVER iscsi {
        enabled 1
        IncomingUser "disc discovery-pass1"
        link_local 1

        TARGET iqn.2006-10.net.vlnb:tgt {
            IncomingUser "joe 12charsecret"
            OutgoingUser "target 12charsecret2"
            HeaderDigest CRC32C,None
            NopInInterval 15
            rel_tgt_id 1
            allowed_portal 192.168.90.*
            enabled 1

            LUN 0 disk1
            LUN 1 1:0:0:0

            GROUP node1 {
                LUN 4 quorum {
                    read_only 1
                }
                INITIATOR iqn.2026-11.com.example:node1
            }
        }
        TARGET iqn.2006-10.net.vlnb:masked {
            enabled 1
            GROUP some {
                LUN 0 disk1
                INITIATOR iqn.2026-11.com.example:node2
                INITIATOR iqn.2026-11.com.example:blade*
            }
        }
        TARGET iqn.2006-10.net.vlnb:off {
            enabled 0
            LUN 0 disk1
        }
    }
    TARGET_DRIVER qla2x00t {
        TARGET 25:00:00:f0:98:87:92:f3
    }
    DEVICE_GROUP dgroup1 {
        DEVICE disk1
        TARGET_GROUP tgroup1 {
            group_id 1
        }
    }
    """

  static let ctl = """
    # FreeBSD
    pidfile /var/run/ctld.pid
    timeout 30

    auth-group ag0 {
        chap-mutual "user" "secret#of-user" "mutualuser" "mutual-secret1"
        chap-mutual "user2" "secret-of-user2" "mutualuser2" "mutual-secret2"
        initiator-name iqn.2026-11.com.example:node1
        initiator-name iqn.2026-11.com.example:node2
        initiator-portal 192.168.90.0/24
        initiator-portal [2001:db8::]/64
    }
    auth-group names-only {
        initiator-name iqn.2026-11.com.example:node3
    }

    portal-group pg0
    {
        discovery-auth-group no-authentication
        listen 192.168.90.140
        listen [2001:db8::140]:3261
        tag 2
    }

    lun shared {
        path /dev/zvol/tank/shared
        blocksize 4096
        serial "S0001"
        device-id "iSCSI Disk 1"
        size 4G
        option naa 0x6589cfc000000aabbccddeeff0011223
        option vendor "ACME"
        option product "iSCSI Disk"
        option unmap off
        option writecache off
        option rpm 7200
    }

    target iqn.2012-06.com.example:target0 {
        alias "Example target"
        auth-group ag0
        portal-group pg0
        lun 0 shared
        lun 4 {
            path /tank/file.img
            option readonly on
        }
    }
    target iqn.2012-06.com.example:open {
        auth-group no-authentication
        lun 0 shared
    }
    target iqn.2012-06.com.example:silent {
        portal-group pg0
        lun 0 shared
    }
    target iqn.2012-06.com.example:names {
        auth-group names-only
        portal-group pg0; lun 0 shared
    }
    """
}

/// An import with what its text loads as.
struct Import {
  var text: String
  var notes: [String]
  var configuration: TargetConfiguration

  init(
    _ text: String, _ format: ImportFormat, includes: [String: [(path: String, text: String)]] = [:]
  ) throws {
    let result = try ConfigurationImport.read(
      text: text, fileName: format.rawValue, format: format, includes: { includes[$0] ?? [] })
    self.text = result.text
    notes = result.notes.map(\.description)
    configuration = try ConfigurationLoader.load(text: result.text).configuration
  }

  /// Whether a note of that line has these words.
  func notes(line: Int?, _ words: String...) -> Bool {
    notes.contains { note in
      words.allSatisfy { note.contains($0) }
        && (line.map { note.contains(":\($0): ") } ?? !note.contains(":0: "))
    }
  }

  func target(_ name: String) throws -> TargetConfiguration.Target {
    try #require(configuration.target(named: name))
  }

  func store(_ name: String) throws -> TargetConfiguration.Store {
    try #require(configuration.store(named: name))
  }
}

/// What an import that fails says.
func importProblem(
  _ text: String, _ format: ImportFormat? = nil,
  includes: ConfigurationImport.Includes = { _ in [] }
) -> String? {
  do throws(ConfigurationError) {
    _ = try ConfigurationImport.read(
      text: text, fileName: "file", format: format, includes: includes)
    return nil
  } catch {
    return error.description
  }
}

/// The line of `sample` that contains `words`.
func line(of words: String, in sample: String) -> Int? {
  sample.split(separator: "\n", omittingEmptySubsequences: false)
    .firstIndex { $0.contains(words) }.map { $0 + 1 }
}
