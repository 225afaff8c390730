use std::io::{Cursor, Write};

use super::*;
use crate::source::Record;

const HEAD: &str = r#"<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="lv">
  <siteinfo><sitename>Vikipēdija</sitename><dbname>lvwiki</dbname><base>https://lv.wikipedia.org/wiki/S%C4%81kumlapa</base>
  <namespaces><namespace key="-2" case="first-letter">Media</namespace><namespace key="0" case="first-letter" />
  <namespace key="6" case="first-letter">Attēls</namespace><namespace key="14" case="first-letter">Kategorija</namespace></namespaces></siteinfo>
"#;

fn page(title: &str, inside: &str, text: &str) -> String {
    format!(
        "  <page>\n    <title>{title}</title>\n    <ns>0</ns>\n    <id>7</id>\n{inside}    <revision>\n      <id>4711</id>\n      \
         <parentid>4700</parentid>\n      <timestamp>2026-01-02T03:04:05Z</timestamp>\n      <contributor><username>A</username><id>3</id>\
         </contributor>\n      <model>wikitext</model>\n      <format>text/x-wiki</format>\n      <text bytes=\"9\" xml:space=\"preserve\">\
         {text}</text>\n      <sha1>phoiac9h4m842xq45sp7s6u21eteeq1</sha1>\n    </revision>\n  </page>\n"
    )
}

fn reader(settings: &str) -> Box<dyn Source> {
    build(toml::de::ValueDeserializer::parse(settings).unwrap()).unwrap()
}

fn offers(source: &dyn Source, bytes: &[u8], name: &str) -> Vec<Result<Document, String>> {
    let input = Input { name: name.into(), bytes: Box::new(Cursor::new(bytes.to_vec())), file: None, size: 0, reader_bytes_max: 64 << 20 };
    let mut records = source.open(input).unwrap();
    let mut seen = Vec::new();
    while let Some(record) = records.next() {
        let offer = match record {
            Record::Raw(raw) => source.decode(raw),
            Record::Offer(offer) => offer,
            Record::Damage(damage) => {
                seen.push(Err(format!("damage: {}", damage.what)));
                continue;
            }
            Record::Other(kind) => unreachable!("{kind}"),
            Record::Again(_) => unreachable!("no source gives documents of an earlier run"),
        };
        seen.push(match offer {
            Offer::Document(doc) => Ok(*doc),
            Offer::Dropped(doc, reason) => {
                assert!(ROOM.reasons.contains(&reason), "{reason}");
                Err(format!("{} {reason}", doc.title.unwrap_or_default()))
            }
        });
    }
    seen
}

fn told(bytes: &[u8]) -> Vec<String> {
    offers(&*reader("{}"), bytes, "x.xml.bz2").into_iter().map(|offer| offer.map_or_else(|told| told, |doc| doc.text)).collect()
}

fn bzip2(text: &str) -> Vec<u8> {
    let mut packer = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::new(9));
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

fn dump() -> Vec<String> {
    let article = page("Klusā sala &amp; jūra", "", "'''Klusā sala''' ir [[sala]].&lt;ref&gt;avots&lt;/ref&gt; [[Kategorija:Salas]]");
    let redirect = page("Sala", "    <redirect title=\"Klusā sala\" />\n", "#REDIRECT [[Klusā sala]]");
    let talk = page("Diskusija:Sala", "", "Vai?").replace("<ns>0</ns>", "<ns>1</ns>");
    let program = page("Sala.js", "", "var x;").replace(">wikitext<", ">javascript<");
    let empty = page("Tukša", "", "{{veidne}}");
    vec![HEAD.to_owned(), article, redirect + &talk, program + &empty, "</mediawiki>\n".to_owned()]
}

#[test]
fn pages_become_documents_however_the_dump_is_packed() {
    let want = ["Klusā sala ir sala.", "Sala redirect", "Diskusija:Sala other-namespace", "Sala.js not-wikitext", "Tukša no-text"];
    let plain = dump().concat();
    assert_eq!(told(plain.as_bytes()), want);
    assert_eq!(told(&bzip2(&plain)), want);
    assert_eq!(told(&dump().iter().flat_map(|stream| bzip2(stream)).collect::<Vec<_>>()), want);
    assert_eq!(told(&zstd::encode_all(plain.as_bytes(), 1).unwrap()), want);
}

#[test]
fn a_document_says_which_revision_of_which_page_it_is_and_under_which_licence() {
    let offers = offers(&*reader("{}"), dump().concat().as_bytes(), "x.xml");
    let doc = offers[0].as_ref().unwrap();
    assert_eq!(doc.url, "https://lv.wikipedia.org/wiki/Klus%C4%81_sala_&_j%C5%ABra");
    assert_eq!((doc.title.as_deref(), doc.declared_lang.as_deref()), (Some("Klusā sala & jūra"), Some("lv")));
    assert_eq!(doc.lang, Some(Lang::new("lv")));
    assert_eq!(doc.content_digest, "mediawiki:7:4711:phoiac9h4m842xq45sp7s6u21eteeq1");
    assert_eq!((doc.licence.as_deref(), doc.published.as_deref()), (Some("CC-BY-SA-4.0"), Some("2026-01-02T03:04:05Z")));
    assert_eq!(doc.source_offset as usize, HEAD.len() + 2);
}

#[test]
fn settings_choose_namespaces_templates_tables_and_licence() {
    let source = reader(r#"{ namespaces = [1], licence = "CC0-1.0", templates = { veidne = "[$1]" }, page_bytes_max = 2000 }"#);
    let dump = HEAD.to_owned()
        + &page("A", "", "x").replace("<ns>0</ns>", "<ns>1</ns>").replace(">x<", ">Te ir {{veidne|vārds}}.<")
        + &page("Gara", "", &"gara ".repeat(1000));
    let seen = offers(&*source, dump.as_bytes(), "x.xml");
    let doc = seen[0].as_ref().unwrap();
    assert_eq!((doc.text.as_str(), doc.licence.as_deref()), ("Te ir [vārds].", Some("CC0-1.0")));
    assert_eq!(seen[1].as_ref().unwrap_err(), " page-too-long");
}

#[test]
fn an_index_among_the_dumps_is_told_as_such_whatever_stands_in_it() {
    let name = "lvwiki-20260601-pages-articles-multistream-index.txt.bz2";
    // One that fits, one whose dump is another and shorter one, one that was cut before it was packed, one that was cut, one that is none.
    let mut indexes = ["616:7:Klusā sala\n", "99999999999:7:Klusā sala\n", "616:7:Klusā sala\n61"].map(bzip2).to_vec();
    indexes.push(indexes[0][..indexes[0].len() - 9].to_vec());
    indexes.push(b"\x00\xff neither index nor bzip2".to_vec());
    for index in indexes {
        let told: Vec<_> = offers(&*reader("{}"), &index, name).into_iter().map(Result::unwrap_err).collect();
        assert_eq!(told, ["damage: it is the index of a multistream dump, which is not needed; name the dump alone"]);
    }
}

#[test]
fn damage_costs_its_pages_and_the_next_one_is_found() {
    let many: Vec<String> = (0..40).map(|number| page(&format!("Sala {number}"), "", &format!("Sala ar numuru {number}."))).collect();
    let mut streams: Vec<Vec<u8>> = vec![bzip2(HEAD)];
    streams.extend(many.chunks(10).map(|pages| bzip2(&pages.concat())));
    let middle = streams[2].len() / 2;
    streams[2][middle] ^= 0x10;
    let told = told(&streams.concat());
    assert_eq!(told.len(), 31, "{told:?}");
    assert!(told[10].starts_with("damage: the bzip2 block is broken"), "{}", told[10]);
    assert_eq!((told[9].as_str(), told[11].as_str()), ("Sala ar numuru 9.", "Sala ar numuru 20."));
}

#[test]
fn a_cut_dump_and_a_file_that_is_none_are_told() {
    let plain = dump().concat();
    assert_eq!(told(&plain.as_bytes()[..plain.len() - 40]).last().unwrap(), "damage: the dump ends inside of a page");
    assert_eq!(told(b"<html></html>"), ["damage: it holds no <page>, so it is no dump of a MediaWiki"]);
    let packed = bzip2(&plain);
    assert!(told(&packed[..packed.len() - 30])[0].starts_with("damage: the bzip2 stream ends early"));
}
