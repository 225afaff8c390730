//! Windows of whole words, spread evenly over a text, so that a menu at the top or a quotation does not speak for a page.

/// At most `bytes_max` bytes of `text` in `windows` pieces with their places; the whole text where it is no longer. Each begins behind a
/// space, if one is near.
pub(super) fn windows(text: &str, windows: usize, bytes_max: usize) -> Vec<(usize, &str)> {
    if text.len() <= bytes_max {
        return vec![(0, text)];
    }
    let stride = text.len() / windows;
    let size = bytes_max / windows;
    (0..windows).map(|window| cut(text, window * stride + (stride - size) / 2, size)).collect()
}

/// How far a window may be moved to begin and end with whole words, in bytes.
const SEEK_BYTES_MAX: usize = 48;

fn cut(text: &str, start: usize, size: usize) -> (usize, &str) {
    let start = behind_space(text, start);
    let end = behind_space(text, (start + size).min(text.len()));
    (start, &text[start..end])
}

/// The next place behind a space at or after `from`, or the next border of a character where no space is near.
fn behind_space(text: &str, from: usize) -> usize {
    let from = text.ceil_char_boundary(from);
    let near = &text.as_bytes()[from..text.len().min(from + SEEK_BYTES_MAX)];
    if from == 0 {
        return 0;
    }
    near.iter().position(|byte| byte.is_ascii_whitespace()).map_or(from, |space| from + space + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_its_own_sample() {
        assert_eq!(windows("Krátky text", 4, 4096), [(0, "Krátky text")]);
        assert_eq!(windows("", 4, 4096), [(0, "")]);
    }

    #[test]
    fn windows_begin_and_end_with_whole_words_and_stay_near_the_limit() {
        let text = "pražský vodník ".repeat(1000);
        let found = windows(&text, 4, 400);
        assert_eq!(found.len(), 4);
        for (place, window) in found {
            assert!(text[place..].starts_with(window));
            assert!(window.split_whitespace().all(|word| word == "pražský" || word == "vodník"), "{window}");
            assert!((90..160).contains(&window.len()));
        }
    }

    #[test]
    fn a_text_without_spaces_is_cut_between_characters() {
        let text = "日本".repeat(5000);
        assert!(windows(&text, 3, 300).iter().all(|(_, window)| window.chars().all(|c| "日本".contains(c))));
    }
}
