//! What an element's attributes say of it: hints of its part in the page, whether it is shown, which elements are alike.

use super::hints::Hints;
use super::tag::Tag;
use super::tokens::attributes;

/// What a block-level element says of itself, and a hash that it shares with elements of its kind and class.
pub(super) fn describe(tag: Tag, name: &str, raw: &str) -> (Hints, u32) {
    let mut own = Hints::of_tag(tag);
    let mut names = hash(tag as u32 + 1, b"");
    if tag == Tag::Custom {
        own = own.and(Hints::of_names(name));
        names = hash(names, name.as_bytes());
    }
    for (name, value) in attributes(raw) {
        match name {
            "class" | "CLASS" => {
                own = own.and(Hints::of_names(value));
                names = hash(names, first_name(value));
            }
            "id" | "ID" | "data-testid" | "data-component" => own = own.and(Hints::of_names(value)),
            "role" => own = own.and(Hints::of_role(value)),
            "itemprop" => own = own.and(Hints::of_property(value)),
            "itemtype" => own = own.and(Hints::of_type(value)),
            "aria-hidden" if value == "true" => own = own.and(Hints::ARIA_HIDDEN),
            _ if is_hidden(name, value) => own = own.and(Hints::HIDDEN),
            _ => {}
        }
    }
    (own, names)
}

/// Whether a `template` is shown: a declarative shadow root is (HTML 4.12.3), others are not.
pub(super) fn shows_template(raw: &str) -> bool {
    raw.contains("shadowroot")
}

/// The first class name up to its first digit: `post` of `post-117 post even`.
fn first_name(class: &str) -> &[u8] {
    let bytes = class.as_bytes().trim_ascii_start();
    let end = bytes.iter().position(|byte| byte.is_ascii_whitespace() || byte.is_ascii_digit()).unwrap_or(bytes.len());
    &bytes[..end]
}

/// FNV-1a, from `seed`.
fn hash(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(seed ^ 0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Whether an attribute says that its element is not shown.
pub(super) fn is_hidden(name: &str, value: &str) -> bool {
    if name.eq_ignore_ascii_case("hidden") {
        return value != "until-found";
    }
    name.eq_ignore_ascii_case("style") && style_hides(value)
}

/// Whether a style has `display: none` or `visibility: hidden`, in any case and spacing.
fn style_hides(style: &str) -> bool {
    style.split(';').any(|rule| {
        let Some((property, value)) = rule.split_once(':') else { return false };
        let value = value.trim().trim_end_matches("!important").trim_end();
        match property.trim() {
            name if name.eq_ignore_ascii_case("display") => value.eq_ignore_ascii_case("none"),
            name if name.eq_ignore_ascii_case("visibility") => value.eq_ignore_ascii_case("hidden"),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_hide_in_any_case_and_spacing() {
        assert!(is_hidden("STYLE", "color:red; DISPLAY : none !important"));
        assert!(is_hidden("style", "visibility:hidden"));
        assert!(!is_hidden("style", "display:block"));
        assert!(is_hidden("hidden", ""));
        assert!(!is_hidden("hidden", "until-found"));
    }

    #[test]
    fn parts_of_a_list_are_alike_whatever_their_numbers() {
        let names = |raw| describe(Tag::Div, "div", raw).1;
        assert_eq!(names(" class='post-117 even'"), names(" class=\"post-9\" id=p9"));
        assert_ne!(names(" class=post"), names(" class=side"));
        assert_ne!(names(""), describe(Tag::Li, "li", "").1);
    }
}
