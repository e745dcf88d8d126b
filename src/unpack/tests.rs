use super::testing::{gzip, locked, tar, zip, zip_with};
use super::*;
use insta::assert_snapshot;
use proptest::prelude::*;
use std::io::Write;

/// One line per document and per note.
fn shown(bytes: &[u8], caps: &Caps) -> String {
    let mut lines = Vec::new();
    let out = unpack(bytes, caps, &mut |steps, text| {
        let text = String::from_utf8_lossy(text);
        let text: String = text.chars().take(20).collect();
        lines.push(format!("{} | {text:?}", address("x", steps)));
    });
    assert_eq!(out.documents as usize, lines.len());
    for note in &out.notes {
        lines.push(format!("{}: {}", address("x", &note.steps), note.reason));
    }
    if out.more > 0 {
        lines.push(format!("{} more", out.more));
    }
    lines.join("\n")
}

fn of(bytes: &[u8]) -> String {
    shown(bytes, &Caps::default())
}

#[test]
fn members_of_every_kind_of_archive() {
    let members: &[(&str, &[u8])] = &[("a/one.env", b"A=1"), ("two", b"B=2"), ("empty", b"")];
    let listed = "x!/a/one.env | \"A=1\"\nx!/two | \"B=2\"";
    assert_eq!(of(&zip(members)), listed);
    assert_eq!(
        of(&zip_with(members, ::zip::CompressionMethod::Stored)),
        listed
    );
    assert_eq!(of(&tar(members)), listed);
    assert_eq!(of(&gzip(&tar(members))), listed);
    assert_eq!(of(&gzip(b"plain")), "x!/content | \"plain\"");
    assert_eq!(of(b"no archive"), "");
}

#[test]
fn other_streams() {
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    bzip2.write_all(&tar(&[("a", b"A=1")])).unwrap();
    assert_eq!(of(&bzip2.finish().unwrap()), "x!/a | \"A=1\"");
    let zstd = ruzstd::encoding::compress_to_vec(
        &b"text"[..],
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    assert_eq!(of(&zstd), "x!/content | \"text\"");
    let xz = "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQADQT0xCgAVroVY+H05OAABHARvLJzBH7bzfQEAAAAABFla";
    let xz = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, xz).unwrap();
    assert_eq!(of(&xz), "x!/content | \"A=1\\n\"");
}

#[test]
fn archives_inside_archives_down_to_the_cap() {
    let inner = zip(&[("conf/app.properties", b"k=v")]);
    let jar = zip(&[("BOOT-INF/lib/b.jar", &inner), ("README", b"read")]);
    let outer = gzip(&tar(&[("dist/a.war", &jar), ("logs/x.gz", &gzip(b"log"))]));
    assert_snapshot!(of(&outer), @r#"
    x!/dist/a.war!/BOOT-INF/lib/b.jar!/conf/app.properties | "k=v"
    x!/dist/a.war!/README | "read"
    x!/logs/x.gz!/x | "log"
    "#);
    let mut deep = zip(&[("x", b"end")]);
    for _ in 0..6 {
        deep = zip(&[("z", &deep)]);
    }
    assert_snapshot!(of(&deep).lines().last().unwrap(), @"x!/z!/z!/z!/z: archives are nested deeper than is read");
}

#[test]
fn bombs_are_cut() {
    let zeros = vec![0; 64 << 20];
    let bomb = gzip(&zeros);
    let mut largest = 0;
    let out = unpack(&bomb, &Caps::default(), &mut |_, text| {
        largest = largest.max(text.len());
    });
    assert!(largest < 20 << 20, "{largest}");
    assert!(out.notes.iter().any(|note| note.reason.contains("bomb")));
    // Many members that share the cap on the whole.
    let page = "0123456789abcdef".repeat(4096);
    let members: Vec<(&str, &[u8])> = ["a", "b", "c", "d"]
        .map(|name| (name, page.as_bytes()))
        .to_vec();
    let caps = Caps {
        total_bytes: 150_000,
        ..Caps::default()
    };
    let text = shown(&zip(&members), &caps);
    assert!(
        text.contains("x!/c: the archive unpacks to more than is read"),
        "{text}"
    );
    assert!(!text.contains("x!/d"), "{text}");
    let caps = Caps {
        members: 2,
        member_bytes: 10,
        ..Caps::default()
    };
    assert_snapshot!(shown(&zip(&members), &caps), @r#"
    x!/a | "0123456789"
    x!/b | "0123456789"
    x!/a: larger than is read of one member: the rest was left out
    x!/b: larger than is read of one member: the rest was left out
    x: the archive has more members than are read
    "#);
}

/// Archives of one member that Python 3.12 made, which packs it with bzip2 and with LZMA.
#[test]
fn members_are_unpacked_however_they_are_packed() {
    for packed in [
        "504b03042e0000000c000000210081bc9efd3f0000007e0000000a000000636f6e662f612e656e76425a6839314159265359\
         4a9f6e65000029d180001040000241948020005441931014aa0f49ea77191d232391f47b1b1c8d8d46478bb9229c2848254f\
         b73280504b01022e032e0000000c000000210081bc9efd3f0000007e0000000a000000000000000000000080010000000063\
         6f6e662f612e656e76504b0506000000000100010038000000670000000000",
        "504b03043f0002000e000000210081bc9efd240000007e0000000a000000636f6e662f612e656e76090405005d0000800000\
         379b88ce76e2f4e365defd215019e10913aaf97fffffe3830000504b01023f033f0002000e000000210081bc9efd24000000\
         7e0000000a0000000000000000000000800100000000636f6e662f612e656e76504b05060000000001000100380000004c00\
         00000000",
    ] {
        let bytes: Vec<u8> = packed
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        assert_eq!(of(&bytes), r#"x!/conf/a.env | "one two three\none tw""#);
    }
}

#[test]
fn a_sparse_member_counts_what_its_holes_unpack_to() {
    let mut header = ::tar::Header::new_gnu();
    header.set_path("hole").unwrap();
    header.set_entry_type(::tar::EntryType::GNUSparse);
    header.set_size(0);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.realsize[..11].copy_from_slice(b"07777777777");
    gnu.sparse[0].offset[..11].copy_from_slice(b"07777777777");
    gnu.sparse[0].numbytes[..11].copy_from_slice(b"00000000000");
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.resize(2048, 0);
    let text = of(&bytes);
    assert!(
        text.contains("archive bomb") || text.contains("larger than"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let secret: &[(&str, &[u8])] = &[("a", b"A=1"), ("b", b"B=2")];
    assert_snapshot!(of(&locked(zip(secret))), @r"
    x!/a: encrypted with a password
    x!/b: encrypted with a password
    ");
    let whole = zip(secret);
    assert_snapshot!(of(&whole[..whole.len() - 10]), @"x: the archive is damaged or of a kind that is not read");
    let whole = tar(secret);
    let cut = of(&whole[..1100]);
    assert!(
        cut.contains("x!/a | \"A=1\"") && cut.contains("damaged"),
        "{cut}"
    );
    let mut noise = vec![0_u8; 60_000];
    let mut state = 7_u32;
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    let whole = gzip(&noise);
    let cut = of(&whole[..whole.len() / 2]);
    assert!(
        cut.contains("x!/content | ") && cut.contains("damaged"),
        "{cut}"
    );
    let notes = Caps {
        notes: 1,
        ..Caps::default()
    };
    assert_snapshot!(shown(&locked(zip(secret)), &notes), @r"
    x!/a: encrypted with a password
    1 more
    ");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn damaged_archives_never_panic(
        which in 0_usize..4,
        cut in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let members: &[(&str, &[u8])] = &[("a/b", b"text text text"), ("c", &[7; 300])];
        let mut bytes = match which {
            0 => zip(members),
            1 => tar(members),
            2 => gzip(&tar(members)),
            _ => zip(&[("z", &zip(members))]),
        };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        let _ = of(&bytes);
    }

    #[test]
    fn random_bytes_never_panic(
        magic in prop::sample::select(vec![&b"PK\x03\x04"[..], b"PK\x05\x06", b"\x1f\x8b\x08", b"BZh91AY&SY", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b""]),
        rest in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let bytes = [magic, &rest].concat();
        let _ = of(&bytes);
    }
}
