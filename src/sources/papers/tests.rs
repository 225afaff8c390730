use std::io::{Cursor, Write};

use super::*;

const TEI: &str = "<TEI><text><p>Dobrý den, vážené poslankyně.</p></text></TEI>";

fn source(settings: &str) -> Box<dyn Source> {
    build(toml::de::ValueDeserializer::parse(settings).unwrap()).unwrap()
}

fn told_with(settings: &str, bytes: &[u8], name: &str) -> Vec<String> {
    let source = source(settings);
    let (size, bytes) = (bytes.len() as u64, Box::new(Cursor::new(bytes.to_vec())));
    let input = Input { name: name.into(), bytes, file: None, size, reader_bytes_max: 64 << 20 };
    let mut records = match source.open(input) {
        Ok(records) => records,
        Err(error) => return vec![error.to_string()],
    };
    let mut told = Vec::new();
    while let Some(record) = records.next() {
        let offer = match record {
            Record::Raw(raw) => source.decode(raw),
            Record::Offer(offer) => offer,
            Record::Other(kind) => {
                told.push(kind.to_owned());
                continue;
            }
            Record::Damage(damage) => {
                told.push(format!("damage: {}", damage.what));
                continue;
            }
            Record::Again(_) => unreachable!("no source gives documents of an earlier run"),
        };
        told.push(match offer {
            Offer::Document(doc) => doc.text,
            Offer::Dropped(_, reason) => {
                assert!(ROOM.reasons.contains(&reason), "{reason}");
                reason.to_owned()
            }
        });
    }
    told
}

fn told(bytes: &[u8], name: &str) -> Vec<String> {
    told_with("{}", bytes, name)
}

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tarred(members: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, kind, content) in members {
        let mut head = vec![0; BLOCK];
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        head[156] = *kind;
        head[257..263].copy_from_slice(b"ustar\0");
        head[148..156].fill(b' ');
        let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
        head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        tar.extend_from_slice(&head);
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    tar
}

const BLOCK: usize = tar::BLOCK_BYTES;

#[test]
fn a_file_is_read_alone_packed_and_in_containers() {
    let want = ["Dobrý den, vážené poslankyně."];
    assert_eq!(told(TEI.as_bytes(), "a/b.xml"), want);
    assert_eq!(told(&zstd::encode_all(TEI.as_bytes(), 1).unwrap(), "b.xml.zst"), want);
    assert_eq!(told(&zipped(&[("folder/", b""), ("folder/a.xml", TEI.as_bytes())]), "b.zip"), want);
    let tar = tarred(&[("folder/", b'5', b""), ("folder/a.xml", b'0', TEI.as_bytes()), ("b", b'2', b"")]);
    assert_eq!(told(&tar, "b.tar"), [want[0], "link"]);
    assert_eq!(told(&zstd::encode_all(&tar[..], 1).unwrap(), "b.tar.zst"), [want[0], "link"]);
}

#[test]
fn long_names_of_both_kinds_are_read() {
    let long = format!("{}/a.txt", "x".repeat(150));
    let pax = format!("170 path={long}\n");
    let gnu = format!("{long}\0");
    for (kind, name) in [(b'x', pax.as_bytes()), (b'L', gnu.as_bytes())] {
        let tar = tarred(&[("n", kind, name), ("short", b'0', b"Text bez konce")]);
        assert_eq!(told(&tar, "b.tar"), ["Text bez konce"]);
    }
}

#[test]
fn names_that_lead_out_are_refused_and_what_is_no_document_has_a_reason() {
    let members: [(&str, &[u8]); 5] =
        [("../a.xml", TEI.as_bytes()), ("a/../../b.xml", b"x"), ("C:\\a.txt", b"x"), ("a.jpg", b"\xff\xd8\xff"), ("a.txt", b"")];
    assert_eq!(told(&zipped(&members), "a.zip"), ["unsafe-name", "unsafe-name", "unsafe-name", "unknown-format", "no-text"]);
    let tar = tarred(&[("/etc/passwd", b'0', b"x"), ("a/../b", b'0', b"x")]);
    assert_eq!(told(&tar, "a.tar"), ["unsafe-name", "unsafe-name"]);
}

#[test]
fn bombs_and_long_files_are_bounded() {
    let zeros = vec![b' '; 3 << 20];
    let settings = "{ file_bytes_max = \"1 MiB\" }";
    assert_eq!(told_with(settings, &zipped(&[("a.txt", &zeros), ("b.xml", TEI.as_bytes())]), "a.zip")[0], "file-too-long");
    assert_eq!(told_with(settings, &zeros, "a.txt"), ["file-too-long"]);
    assert_eq!(told_with(settings, &tarred(&[("a.txt", b'0', &zeros)]), "a.tar"), ["file-too-long"]);
    let bomb = zipped(&[("a.txt", &zeros), ("b.txt", &zeros)]);
    let told = told_with("{ unpacked_ratio_max = 4 }", &bomb, "a.zip");
    assert!(told[1].contains("unpack to more than 4194304 bytes"), "{told:?}");
    let packed = zstd::encode_all(&tarred(&[("a.txt", b'0', &zeros), ("b.txt", b'0', &zeros)])[..], 1).unwrap();
    let told = told_with("{ unpacked_ratio_max = 4 }", &packed, "a.tar.zst");
    assert!(told[1].contains("unpacks to more than 4194304 bytes"), "{told:?}");
    assert!(told_with("{ members_max = 1 }", &bomb, "a.zip")[0].contains("members_max = 1"));
}

#[test]
fn cut_containers_lose_only_what_is_missing() {
    let tar = tarred(&[("a.xml", b'0', TEI.as_bytes()), ("b.xml", b'0', TEI.as_bytes())]);
    let seen = told(&tar[..2 * BLOCK + 700], "a.tar");
    assert_eq!(seen, ["Dobrý den, vážené poslankyně.", "damage: the tar file ends early: it is cut off here"]);
    let zip = zipped(&[("a.xml", TEI.as_bytes())]);
    assert!(told(&zip[..zip.len() - 30], "a.zip")[0].starts_with("it is no whole zip file"));
    for place in 0..zip.len() {
        let mut zip = zip.clone();
        zip[place] ^= 0x55;
        told(&zip, "a.zip");
    }
    for place in 0..tar.len() / 2 {
        let mut tar = tar.clone();
        tar[place] ^= 0x55;
        told(&tar, "a.tar");
    }
}

#[test]
fn a_reservation_drops_or_marks_and_unsure_pages_fall() {
    let html = "<html><head><meta name=\"tdm-reservation\" content=\"1\"/></head><body><p>Tekst</p></body></html>";
    assert_eq!(told(html.as_bytes(), "a.xhtml"), ["reserved"]);
    assert_eq!(told_with("{ drop_reserved = false }", html.as_bytes(), "a.xhtml"), ["Tekst"]);
    let alto = "<alto><TextBlock><TextLine><String CONTENT=\"Tekst\" WC=\"0.4\"/></TextLine></TextBlock></alto>";
    assert_eq!(told(alto.as_bytes(), "a.xml"), ["Tekst"]);
    assert_eq!(told_with("{ ocr_confidence_min = 0.5 }", alto.as_bytes(), "a.xml"), ["ocr-unsure"]);
    assert_eq!(told_with("{ formats = [\"tei\"] }", alto.as_bytes(), "a.xml"), ["other-format"]);
}

fn seven_zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    for (name, content) in members {
        writer.push_archive_entry(sevenz_rust2::ArchiveEntry::new_file(name), Some(*content)).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_7z_container_is_read_like_the_others_within_the_same_limits() {
    let members: [(&str, &[u8]); 4] =
        [("a.xml", TEI.as_bytes()), ("../b.xml", b"x"), ("c.jpg", b"\xff\xd8\xff"), ("d.txt", "Dobrou noc".as_bytes())];
    let packed = seven_zipped(&members);
    assert_eq!(told(&packed, "a.7z"), ["Dobrý den, vážené poslankyně.", "unsafe-name", "unknown-format", "Dobrou noc"]);
    let zeros = vec![b' '; 3 << 20];
    let bomb = seven_zipped(&[("a.txt", &zeros), ("b.txt", &zeros)]);
    assert_eq!(told_with("{ file_bytes_max = \"1 MiB\" }", &bomb, "a.7z"), ["file-too-long", "file-too-long"]);
    let told_of_bomb = told_with("{ unpacked_ratio_max = 4 }", &bomb, "a.7z");
    assert!(told_of_bomb[1].contains("unpack to more than 4194304 bytes"), "{told_of_bomb:?}");
    assert!(told_with("{ members_max = 1 }", &bomb, "a.7z")[0].contains("members_max = 1"));
    assert!(told(&packed[..packed.len() - 9], "a.7z")[0].starts_with("it is no whole 7z file"));
    let short = told_with("{ dictionary_bytes_max = \"4 MiB\" }", &packed, "a.7z");
    assert!(short[0].contains("its dictionary takes 8") && short[0].contains("dictionary_bytes_max allows 4096"), "{short:?}");
    for place in (0..packed.len()).step_by(5) {
        let mut packed = packed.clone();
        packed[place] ^= 0x55;
        told(&packed, "a.7z");
    }
}

#[test]
fn the_pages_that_mets_names_are_one_document_in_its_order() {
    let alto = |text: &str| format!("<alto><TextBlock><TextLine><String CONTENT=\"{text}\" WC=\"0.9\"/></TextLine></TextBlock></alto>");
    let (one, two, other) = (alto("Prvá"), alto("Druhá"), alto("Iná"));
    let mets = "<mets><dmdSec><mods><title>Noviny</title></mods></dmdSec><fileSec><file ID='a'><FLocat href='file://./alto/z.xml'/></file><file ID='b'>\
        <FLocat href='alto/y.xml'/></file></fileSec><structMap TYPE='PHYSICAL'><div ORDER='2'><fptr FILEID='b'/></div><div ORDER='1'><fptr FILEID='a'/></div>\
        </structMap></mets>";
    let members: [(&str, &[u8]); 4] = [
        ("x/alto/y.xml", two.as_bytes()),
        ("x/mets.xml", mets.as_bytes()),
        ("x/alto/z.xml", one.as_bytes()),
        ("y/alto/z.xml", other.as_bytes()),
    ];
    assert_eq!(told(&zipped(&members), "a.zip"), ["Prvá\nDruhá", "Iná"]);
    let alone: [(&str, &[u8]); 1] = [("mets.xml", mets.as_bytes())];
    assert_eq!(told(&zipped(&alone), "a.zip"), ["unknown-format"]);
    assert_eq!(told_with("{ formats = [\"alto\"] }", &zipped(&members), "a.zip"), ["other-format", "Iná"]);
}

#[test]
fn a_law_is_known_by_its_celex_number_language_and_date() {
    let law =
        "<ACT><BIB.INSTANCE><DATE ISO=\"20260302\">x</DATE><LG.DOC>ET</LG.DOC></BIB.INSTANCE><TITLE><TI><P>Määrus</P></TI></TITLE></ACT>";
    let source = source("{}");
    let record = RawRecord {
        file: "a.zip".into(),
        offset: 0,
        bytes: format!("l/CELEX_32026R0012_ET_TXT.xml\n{law}").into_bytes(),
        truncated: false,
    };
    let Offer::Document(doc) = source.decode(record) else { panic!("a law") };
    assert!(doc.content_digest.starts_with("celex:32026R0012 ET 2026-03-02:xxh3-128:"), "{}", doc.content_digest);
    assert_eq!(doc.url, "https://eur-lex.europa.eu/legal-content/ET/TXT/?uri=CELEX:32026R0012");
    assert_eq!((doc.host.as_str(), doc.lang.as_ref().map(Lang::as_str)), ("eur-lex.europa.eu", Some("et")));
}

fn document_with(settings: &str, text: &str) -> Document {
    let record = RawRecord { file: "a.zip".into(), offset: 0, bytes: format!("a.xml\n{text}").into_bytes(), truncated: false };
    let Offer::Document(doc) = source(settings).decode(record) else { panic!("a document") };
    *doc
}

#[test]
fn a_text_has_the_language_that_it_states_or_the_recipe_or_none() {
    let stating = TEI.replace("<TEI>", "<TEI xml:lang=\"cze\">");
    for (settings, text, declared, lang) in [
        ("{}", stating.as_str(), Some("cze"), Some("cs")),
        ("{ lang = \"sk\" }", stating.as_str(), Some("cze"), Some("cs")),
        ("{ lang = \"cs-CZ\" }", TEI, Some("cs-CZ"), Some("cs")),
        ("{ lang = \"čeština\" }", TEI, Some("čeština"), None),
        ("{}", TEI, None, None),
    ] {
        let doc = document_with(settings, text);
        assert_eq!((doc.declared_lang.as_deref(), doc.lang), (declared, lang.map(Lang::new)), "{settings} {text}");
    }
}

#[test]
fn no_reason_stands_twice() {
    let reasons: std::collections::BTreeSet<&str> = ROOM.reasons.iter().copied().collect();
    assert_eq!(reasons.len(), ROOM.reasons.len());
    assert!(reasons.contains("unsafe-name") && reasons.contains(Fault::MalformedPdf.reason()), "{reasons:?}");
}
