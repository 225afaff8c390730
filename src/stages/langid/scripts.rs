//! Languages that their script names, because no other language of ours is written in it.

/// The language of an ISO 15924 script that one language of ours is written in.
pub(super) fn only_language(script: &str) -> Option<&'static str> {
    Some(match script {
        "Grek" => "el",
        "Armn" => "hy",
        "Geor" => "ka",
        "Hang" => "ko",
        "Hani" => "zh",
        "Jpan" => "ja",
        "Thai" => "th",
        "Laoo" => "lo",
        "Khmr" => "km",
        "Mymr" => "my",
        "Tibt" => "bo",
        "Beng" => "bn",
        "Guru" => "pa",
        "Gujr" => "gu",
        "Orya" => "or",
        "Taml" => "ta",
        "Telu" => "te",
        "Knda" => "kn",
        "Mlym" => "ml",
        "Sinh" => "si",
        "Ethi" => "am",
        "Thaa" => "dv",
        "Cher" => "chr",
        "Mong" => "mn",
        "Yiii" => "ii",
        "Tfng" => "zgh",
        "Cans" => "iu",
        _ => return None,
    })
}
