use super::*;

const LIMITS: Limits = Limits { unpacked_bytes_max: 1 << 20, members_max: 10 };

/// A file of these objects, the first of which is the catalogue.
fn pdf(objects: &[String]) -> Vec<u8> {
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file += &format!("{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let table = file.len();
    file += &format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    places.iter().for_each(|place| file += &format!("{place:010} 00000 n \n"));
    file += &format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF", objects.len() + 1);
    file.into_bytes()
}

fn stream(dict: &str, content: &str) -> String {
    format!("<<{dict}/Length {}>>\nstream\n{content}\nendstream", content.len())
}

/// A document of pages with these contents; object 3 is a font with a Czech encoding, object 4 whatever is given.
fn document(contents: &[&str], other: &str) -> Vec<u8> {
    let kids: String = (0..contents.len()).map(|page| format!("{} 0 R ", 5 + 2 * page)).collect();
    let font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</Differences[1/ccaron/uni0159/fi/quotedblbase]>>>>";
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Kids[{kids}]/Count {}>>", contents.len()),
        font.to_owned(),
        other.to_owned(),
    ];
    for (page, content) in contents.iter().enumerate() {
        let own = 6 + 2 * page;
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {own} 0 R/Resources<</Font<</F 3 0 R>>/XObject<</X 4 0 R>>>>>>"
        ));
        objects.push(stream("", content));
    }
    pdf(&objects)
}

fn text(bytes: Vec<u8>) -> Result<String, Fault> {
    read(bytes, &LIMITS).map(|paper| paper.text)
}

#[test]
fn lines_become_paragraphs_with_whole_words_and_without_running_heads() {
    let page = |number: u32, body: &str| {
        format!("BT /F 9 Tf 1 0 0 1 50 780 Tm (Zpravodaj {number}) Tj /F 10 Tf 12 TL 1 0 0 1 50 700 Tm {body} ET")
    };
    let pages = [
        page(1, r"(Prvn\355 \001\341st o p\002\355sta-) Tj T* (vu.) Tj 0 -30 Td (Druh\375 odstavec) Tj T* (pokra\001uje) Tj"),
        page(2, r"(na dal\232\355 stran\354.) Tj"),
        page(13, r"[(T) 20 (ext) -300 (s mezerou, \003nale)] TJ"),
    ];
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    let want = "První část o přístavu.\nDruhý odstavec pokračuje na další stranì.\nText s mezerou, finale";
    assert_eq!(text(document(&pages, "null")).as_deref(), Ok(want));
}

#[test]
fn ten_thousand_pages_are_one_text_in_their_order() {
    // Words without digits, as what differs in numbers alone is a running head.
    let word = |number: usize| {
        let letter = |part: usize| char::from(b'a' + (number / part % 26) as u8);
        format!("S{}{}{}slovo", letter(676), letter(26), letter(1))
    };
    let pages: Vec<String> = (0..10_000).map(|number| format!("BT /F 10 Tf 1 0 0 1 50 700 Tm ({} konec.) Tj ET", word(number))).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    let read = text(document(&pages, "null")).expect("a text");
    let found: Vec<&str> = read.split_whitespace().filter(|word| *word != "konec.").collect();
    assert_eq!(found.len(), 10_000);
    assert!(found.iter().enumerate().all(|(number, found)| *found == word(number)));
}

#[test]
fn a_map_to_unicode_decides_what_codes_mean() {
    let map = stream(
        "",
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS)>> def 1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfchar <0001> <0160> <0002> <FB01> endbfchar \
         1 beginbfrange <0010> <0012> <0430> endbfrange 1 beginbfrange <0020> <0021> [<0078> <00790079>] endbfrange",
    );
    let inner = "<</Type/Font/Subtype/CIDFontType2/DW 600/W[1[500 400]16 18 700]>>";
    let font = "<</Type/Font/Subtype/Type0/Encoding/Identity-H/ToUnicode 6 0 R/DescendantFonts[7 0 R]>>";
    let bytes = pdf(&[
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>".to_owned(),
        stream("", "BT /F 10 Tf 50 700 Td <000100020010001100120020002100990001> Tj ET"),
        font.to_owned(),
        map,
        inner.to_owned(),
    ]);
    assert_eq!(text(bytes).as_deref(), Ok("ŠfiабвxyyŠ"));
}

#[test]
fn forms_are_drawn_and_one_that_draws_itself_ends() {
    let form =
        |content: &str| stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</Font<</F 3 0 R>>/XObject<</X 4 0 R>>>>", content);
    assert_eq!(text(document(&["/X Do"], &form("BT /F 9 Tf (Formular) Tj ET"))).as_deref(), Ok("Formular"));
    let itself = text(document(&["/X Do"], &form("BT /F 9 Tf (A) Tj ET /X Do /X Do /X Do /X Do /X Do /X Do /X Do /X Do /X Do")));
    assert!(itself.is_ok());
}

#[test]
fn reservations_in_xmp_are_found() {
    let xmp = |inside: &str| {
        let packet = format!("<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF><rdf:Description {inside}</rdf:RDF></x:xmpmeta>");
        read(document(&["BT /F 9 Tf (Text) Tj ET"], &stream("/Type/Metadata/Subtype/XML", &packet)), &LIMITS).expect("it is sound")
    };
    let reserved = [("tdm-reservation".to_owned(), "1".to_owned())];
    assert_eq!(xmp("tdm:reservation=\"1\"/>").policies, reserved);
    let element =
        xmp("><tdm:reservation>1</tdm:reservation><dc:title><rdf:Alt><rdf:li>Kniha</rdf:li></rdf:Alt></dc:title></rdf:Description>");
    assert_eq!((element.policies.as_slice(), element.title.as_deref()), (&reserved[..], Some("Kniha")));
}

#[test]
fn bombs_loops_and_broken_files_end_with_a_reason() {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packer, &vec![b' '; 2 << 20]).expect("room");
    let packed = packer.finish().expect("room");
    let bomb = [&b"%PDF-1.4\n1 0 obj <</Filter/FlateDecode>> stream\n"[..], &packed, b"\nendstream endobj"].concat();
    assert_eq!(text(bomb), Err(Fault::TooLarge));
    assert_eq!(text(b"%PDF-1.4 nothing".to_vec()), Err(Fault::MalformedPdf));
    let deep = format!("BT /F 9 Tf (Text) Tj {}{} TJ ET", "[".repeat(100_000), "]".repeat(100_000));
    assert!(text(document(&[&deep], "null")).is_ok());
    let looped = pdf(&["<</Type/Catalog/Pages 2 0 R>>".to_owned(), "<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>".to_owned()]);
    let _ = text(looped);
    let good = document(&["BT /F 9 Tf (Text) Tj ET"], "null");
    for place in 0..good.len() {
        let mut bytes = good.clone();
        bytes[place] ^= 0x15;
        let _ = text(bytes);
        let _ = text(good[..place].to_vec());
    }
}
