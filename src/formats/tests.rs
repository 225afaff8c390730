use super::*;

const LIMITS: Limits = Limits { unpacked_bytes_max: 1 << 20, members_max: 100 };

fn paper(name: &str, text: &str) -> Result<Paper, Fault> {
    read(kind_of(name, text.as_bytes()), text.as_bytes().to_vec(), &LIMITS)
}

#[track_caller]
fn text(document: &str) -> String {
    paper("x.xml", document).unwrap().text
}

#[test]
fn a_debate_in_tei_is_its_turns_with_who_speaks_and_without_the_noise_of_the_hall() {
    let tei = r##"<?xml version="1.0"?><TEI xmlns="http://www.tei-c.org/ns/1.0" xml:lang="sl"><teiHeader><fileDesc><titleStmt>
        <title type="main" xml:lang="sl">Zapisnik 3. seje</title><title>Drugi</title></titleStmt><publicationStmt>
        <idno type="URI">https://zbor.example/seje/3</idno><availability><licence>https://creativecommons.org/licenses/by/4.0/</licence>
        </availability><date when="2026-02-03">3. 2. 2026</date></publicationStmt></fileDesc></teiHeader><text><body><div type="debateSection">
        <note type="speaker">PREDSEDNICA ANA MOROVA:</note><u who="#MorovaAna" ana="#chair"><seg>Začenjamo   sejo.</seg>
        <seg>Prosim za <hi>mir</hi>.</seg><vocal type="laughter"><desc>Smeh.</desc></vocal></u><note>Aplavz.</note>
        <u><seg><s><w join="right">Hvala</w><pc>,</pc> <w>gospa</w><w join="right">!</w></s></seg></u></div></body></text></TEI>"##;
    let read = paper("x.xml", tei).unwrap();
    assert_eq!(read.text, "PREDSEDNICA ANA MOROVA:\nZačenjamo sejo.\nProsim za mir.\nHvala, gospa !");
    assert_eq!((read.title.as_deref(), read.lang.as_deref()), (Some("Zapisnik 3. seje"), Some("sl")));
    assert_eq!((read.published.as_deref(), read.url.as_deref()), (Some("2026-02-03"), Some("https://zbor.example/seje/3")));
    assert_eq!(read.licence.as_deref(), Some("https://creativecommons.org/licenses/by/4.0/"));
}

#[test]
fn a_law_keeps_its_numbers_with_its_paragraphs() {
    let law = r#"<akomaNtoso xmlns="http://docs.oasis-open.org/legaldocml/ns/akn/3.0"><act><meta><identification><FRBRWork>
        <FRBRthis value="/akn/xx/act/2026/7"/><FRBRdate date="2026-01-31" name="x"/></FRBRWork><FRBRExpression><FRBRlanguage language="nld"/>
        </FRBRExpression></identification></meta><preface><p>Wijziging van de <docTitle>Wet op de veerboten</docTitle> (2026)</p></preface><body><article>
        <num>Artikel 1</num><heading>Begrippen</heading><paragraph><num>1.</num><content><p>Een veerboot vaart<authorialNote><p>noot</p>
        </authorialNote> heen en weer.</p></content></paragraph></article></body></act></akomaNtoso>"#;
    let read = paper("x.xml", law).unwrap();
    assert_eq!(read.text, "Wijziging van de Wet op de veerboten (2026)\nArtikel 1 Begrippen\n1. Een veerboot vaart heen en weer.");
    assert_eq!((read.title.as_deref(), read.lang.as_deref()), (Some("Wet op de veerboten"), Some("nld")));
    let act = r#"<ACT><BIB.INSTANCE><DATE ISO="20260302">20260302</DATE><LG.DOC>ET</LG.DOC></BIB.INSTANCE><TITLE><TI><P>Määrus
        <HT TYPE="UC">praamide</HT> kohta</P></TI></TITLE><ENACTING.TERMS><ARTICLE><TI.ART>Artikkel 1</TI.ART><PARAG><NO.PARAG>1.</NO.PARAG>
        <ALINEA><QUOT.START CODE="201E"/>Praam<QUOT.END CODE="201C"/> on laev<NOTE><P>märkus</P></NOTE>.</ALINEA></PARAG></ARTICLE>
        </ENACTING.TERMS><TBL><ROW><CELL>aasta</CELL><CELL><P>7</P></CELL></ROW></TBL></ACT>"#;
    let read = paper("x.xml", act).unwrap();
    assert_eq!(read.text, "Määrus praamide kohta\nArtikkel 1\n1. „Praam“ on laev.\naasta | 7");
    assert_eq!((read.published.as_deref(), read.lang.as_deref()), (Some("2026-03-02"), Some("ET")));
}

#[test]
fn recognised_pages_are_read_in_their_order_with_whole_words() {
    let alto = r#"<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Layout><ReadingOrder><OrderedGroup><ElementRef REF="b2"/>
        <ElementRef REF="b1"/></OrderedGroup></ReadingOrder><Page><PrintSpace><TextBlock ID="b1"><TextLine><String CONTENT="zweite" WC="0.5"/>
        <SP/><String CONTENT="Spalte." WC="1.0"/></TextLine></TextBlock><TextBlock ID="b2" LANG="de"><TextLine><String CONTENT="Die"/><SP/>
        <String CONTENT="Dampf" SUBS_TYPE="HypPart1" SUBS_CONTENT="Dampfer"/><HYP CONTENT="-"/></TextLine><TextLine>
        <String CONTENT="er" SUBS_TYPE="HypPart2" SUBS_CONTENT="Dampfer"/><SP/><String CONTENT="Nord-"/></TextLine>
        <TextLine><String CONTENT="Süd"/></TextLine></TextBlock></PrintSpace></Page></Layout></alto>"#;
    let read = paper("x.xml", alto).unwrap();
    assert_eq!((read.text.as_str(), read.lang.as_deref()), ("Die Dampfer Nord- Süd\nzweite Spalte.", Some("de")));
    assert!((read.ocr_confidence.unwrap() - 0.769).abs() < 0.01, "{:?}", read.ocr_confidence);
}

#[test]
fn page_xml_and_hocr_give_lines_and_confidence() {
    let page = r#"<PcGts><Page><ReadingOrder><OrderedGroup><RegionRefIndexed index="1" regionRef="a"/><RegionRefIndexed index="0" regionRef="b"/>
        </OrderedGroup></ReadingOrder><TextRegion id="n" type="page-number"><TextLine><TextEquiv><Unicode>7</Unicode></TextEquiv></TextLine>
        </TextRegion><TextRegion id="a"><TextLine><Word><TextEquiv><Unicode>dru</Unicode></TextEquiv></Word><TextEquiv index="0" conf="0.8">
        <Unicode>drugi</Unicode></TextEquiv><TextEquiv index="1"><Unicode>druqi</Unicode></TextEquiv></TextLine><TextEquiv><Unicode>drugi</Unicode>
        </TextEquiv></TextRegion><TextRegion id="b"><TextEquiv><Unicode>prvi bro-
dovi</Unicode></TextEquiv></TextRegion></Page></PcGts>"#;
    let read = paper("x.xml", page).unwrap();
    assert_eq!((read.text.as_str(), read.ocr_confidence), ("prvi brodovi\ndrugi", Some(0.8)));
    let hocr = r#"<!DOCTYPE html><html><head><meta name="ocr-system" content="x"><title>x</title></head><body><div class="ocr_page"><p class="ocr_par" lang="fin">
        <span class="ocr_line"><span class="ocrx_word" title="bbox 1 2 3 4; x_wconf 90">Vanha</span> <span class="ocrx_word" title="x_wconf 70"><em>lai&shy;</em></span></span>
        <span class="ocr_line"><span class="ocrx_word">turi&amp;</span></span></p></div></body></html>"#;
    let read = paper("x.hocr", hocr).unwrap();
    assert_eq!((read.text.as_str(), read.lang.as_deref()), ("Vanha laituri&", Some("fin")));
    assert!((read.ocr_confidence.unwrap() - 0.811).abs() < 0.001);
}

#[test]
fn bombs_foreign_entities_and_broken_markup_have_reasons_of_their_own() {
    let bomb = r#"<!DOCTYPE TEI [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><TEI>&b;</TEI>"#;
    let foreign = r#"<!DOCTYPE TEI [<!ENTITY x SYSTEM "file:///etc/passwd">]><TEI><text><p>&x;</p></text></TEI>"#;
    let deep = format!("<TEI>{}{}</TEI>", "<p>".repeat(300), "</p>".repeat(300));
    for (document, fault) in [
        (bomb, Fault::XmlEntities),
        (foreign, Fault::XmlEntities),
        (deep.as_str(), Fault::TooDeep),
        ("<TEI><p>Slov</q></TEI>", Fault::MalformedXml),
        ("<TEI><text><p>Slov", Fault::MalformedXml),
        ("<TEI><teiHeader/></TEI>", Fault::NoText),
        ("<mets><dmdSec/></mets>", Fault::UnknownFormat),
        ("PK\u{3}\u{4}", Fault::UnknownFormat),
        ("%PDF-1.7", Fault::MalformedPdf),
    ] {
        assert_eq!(paper("x.xml", document), Err(fault), "{document}");
    }
    assert_eq!(text("<TEI><text><p>A &amp; B &#269; &unknown; C</p></text></TEI>"), "A & B č C");
}

fn package(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        let method = if *name == "mimetype" { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
        zip.start_file(*name, zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
        std::io::Write::write_all(&mut zip, content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn unpacked(bytes: Vec<u8>) -> Result<Paper, Fault> {
    read(kind_of("x", &bytes), bytes, &LIMITS)
}

fn book(opf_more: &str, chapters: &[(&str, &str)]) -> Vec<u8> {
    let items: String = chapters.iter().map(|(name, _)| format!(r#"<item id="i{name}" href="{name}%20x.xhtml"/>"#)).collect();
    let spine: String = chapters.iter().map(|(name, _)| format!(r#"<itemref idref="i{name}"/>"#)).collect();
    let opf = format!(
        r#"<package xmlns:dc="d"><metadata><dc:title>Knjiga</dc:title><dc:language>hr</dc:language><dc:rights>CC BY 4.0</dc:rights>
        {opf_more}</metadata><manifest>{items}</manifest><spine>{spine}<itemref idref="gone"/></spine></package>"#
    );
    let mut members = vec![
        ("mimetype".to_owned(), "application/epub+zip".to_owned()),
        (
            "META-INF/container.xml".to_owned(),
            r#"<container><rootfiles><rootfile full-path="OEBPS/b.opf"/></rootfiles></container>"#.to_owned(),
        ),
        ("OEBPS/b.opf".to_owned(), opf),
    ];
    members.extend(chapters.iter().map(|(name, text)| {
        (format!("OEBPS/{name} x.xhtml"), format!("<html><head><title>x</title></head><body><p>{text}<br/>kraj</p></body></html>"))
    }));
    package(&members.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
}

#[test]
fn a_book_is_its_chapters_in_order_with_its_metadata() {
    let read = unpacked(book("", &[("b", "Prvo poglavlje."), ("a", "Drugo&nbsp;poglavlje.")])).unwrap();
    assert_eq!(read.text, "Prvo poglavlje.\nkraj\nDrugo\u{a0}poglavlje.\nkraj");
    assert_eq!((read.title.as_deref(), read.lang.as_deref(), read.licence.as_deref()), (Some("Knjiga"), Some("hr"), Some("CC BY 4.0")));
}

#[test]
fn a_reservation_in_a_book_is_found_in_both_forms() {
    for more in [r#"<meta property="tdm:reservation">1</meta>"#, r#"<meta name="tdm:reservation" content="1"/>"#] {
        let read = unpacked(book(more, &[("a", "Tekst.")])).unwrap();
        assert_eq!(read.policies, [("tdm-reservation".to_owned(), "1".to_owned())], "{more}");
    }
}

#[test]
fn office_documents_give_paragraphs_and_tables_without_what_was_struck() {
    let content = r#"<office:document-content xmlns:office="o" xmlns:text="t" xmlns:table="b"><office:body><office:text><text:tracked-changes>
        <text:p>staro</text:p></text:tracked-changes><text:h>Zápis</text:h><text:p>Prvý<text:s text:c="3"/>bod<text:note><text:p>x</text:p></text:note>.
        </text:p><table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell><text:p>b</text:p>
        </table:table-cell></table:table-row></table:table></office:text></office:body></office:document-content>"#;
    let meta = r#"<office:document-meta><office:meta><dc:title>Zápisnica</dc:title><dc:language>sk-SK</dc:language></office:meta></office:document-meta>"#;
    let odt = package(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", content), ("meta.xml", meta)]);
    let read = unpacked(odt).unwrap();
    assert_eq!((read.text.as_str(), read.title.as_deref()), ("Zápis\nPrvý bod.\na | b", Some("Zápisnica")));
    let document = r#"<w:document><w:body><w:p><w:r><w:t>Ülés</w:t></w:r><w:r><w:instrText>PAGE</w:instrText><w:t xml:space="preserve"> vége</w:t></w:r>
        <w:del><w:r><w:delText>nem</w:delText></w:r></w:del></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>1</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>2</w:t>
        </w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>"#;
    let read = unpacked(package(&[
        ("word/document.xml", document),
        ("docProps/core.xml", "<cp:coreProperties><dc:creator>K. A.</dc:creator></cp:coreProperties>"),
    ]));
    let read = read.unwrap();
    assert_eq!((read.text.as_str(), read.author.as_deref()), ("Ülés vége\n1 | 2", Some("K. A.")));
}

#[test]
fn packages_that_are_bombs_broken_or_locked_have_reasons() {
    assert_eq!(unpacked(book("", &[("a", &"b".repeat(2 << 20))])), Err(Fault::TooLarge));
    assert_eq!(unpacked(package(&[("mimetype", "application/epub+zip")])), Err(Fault::MalformedPackage));
    let locked = package(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        ("META-INF/manifest.xml", "<manifest:encryption-data/>"),
        ("content.xml", "x"),
    ]);
    assert_eq!(unpacked(locked), Err(Fault::Encrypted));
    let whole = book("", &[("a", "Tekst.")]);
    for length in 0..whole.len() {
        let _ = unpacked(whole[..length].to_vec());
    }
}

#[test]
fn plain_text_is_read_in_any_encoding() {
    let (bytes, ..) =
        encoding_rs::WINDOWS_1257.encode("Labas rytas, šiandien šviečia saulė ir čia gražu. Žmonės džiaugiasi.\r\nĄžuolas žydi.");
    let read = read(kind_of("a.txt", &bytes), bytes.into_owned(), &LIMITS).unwrap();
    assert_eq!(read.text, "Labas rytas, šiandien šviečia saulė ir čia gražu. Žmonės džiaugiasi.\nĄžuolas žydi.");
    assert_eq!(kind_of("a.txt", b"\x7fELF\x01\x02"), Kind::Unknown);
}
