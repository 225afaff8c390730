//! Whose rules count in robots.txt: those for our own crawler, and those for crawlers that gather pages to train language models.

/// The day on which [`TRAINING`] was last held against what the operators say.
pub const TRAINING_VERSION: &str = "2026-11-26";

/// Product tokens by which operators let sites say no to training, as their own pages name them. Tokens of search engines and of
/// fetchers that act for a user are not among them: to refuse those says nothing about training.
pub const TRAINING: &[&str] = &[
    // OpenAI
    "GPTBot",
    // Anthropic; the last two are its older ones
    "ClaudeBot",
    "anthropic-ai",
    "Claude-Web",
    // Google and Apple: no crawlers of their own, only tokens for what others of theirs fetched
    "Google-Extended",
    "Applebot-Extended",
    // Common Crawl, from which most training sets are made
    "CCBot",
    // Meta
    "Meta-ExternalAgent",
    "FacebookBot",
    // ByteDance, Amazon, Cohere, Huawei
    "Bytespider",
    "Amazonbot",
    "cohere-ai",
    "cohere-training-data-crawler",
    "PanguBot",
    // Allen Institute for AI
    "AI2Bot",
    "Ai2Bot-Dolma",
    // Sellers of data sets
    "Diffbot",
    "omgili",
    "omgilibot",
    "Webzio-Extended",
    "Timpibot",
    "VelenPublicWebCrawler",
];

/// Our own crawler, and those whose rules stand for training.
#[derive(Clone, Copy, Debug)]
pub struct Agents<'a> {
    /// Product token of our crawler.
    pub own: &'a str,
    /// Product tokens of crawlers that gather for training.
    pub training: &'a [&'a str],
}

impl Default for Agents<'_> {
    fn default() -> Self {
        Agents { own: "tamisbot", training: TRAINING }
    }
}

/// The part of `written` that is a product token (RFC 9309, 2.2.1), in lower case: `ai` of `AI2Bot/1.0`, as [`crate::robots`] cuts it too.
pub(super) fn token(written: &[u8]) -> Vec<u8> {
    written.iter().take_while(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_')).map(u8::to_ascii_lowercase).collect()
}
