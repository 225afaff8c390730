//! Reads the file: a message of Protocol Buffers (sentencepiece_model.proto), of which a few fields are needed.

/// How texts are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By the best path.
    Unigram,
    /// By joining pairs.
    Bpe,
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// A piece of text.
    Normal,
    /// What is not known.
    Unknown,
    /// A sign for the trainer, as `<s>`; never found in a text.
    Control,
    /// A symbol of the user's that is never cut.
    UserDefined,
    /// A piece that is only a step on the way to longer ones.
    Unused,
    /// A single byte.
    Byte,
}

/// A piece of the vocabulary.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) score: f32,
    pub(super) kind: Type,
}

/// How texts are normalized.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// A double array and the texts it leads to; empty where nothing is replaced.
    pub(super) charsmap: Vec<u8>,
    pub(super) add_dummy_prefix: bool,
    pub(super) remove_extra_whitespaces: bool,
    pub(super) escape_whitespaces: bool,
    pub(super) whitespace_as_suffix: bool,
}

/// What is needed of a model.
pub(super) struct Model {
    pub(super) kind: Kind,
    pub(super) pieces: Vec<Piece>,
    pub(super) byte_fallback: bool,
    pub(super) normalizer: Rules,
}

impl Model {
    pub(super) fn read(bytes: &[u8]) -> Result<Model, String> {
        let (mut pieces, mut kind, mut byte_fallback) = (Vec::new(), 1, false);
        let mut normalizer = Rules {
            charsmap: Vec::new(),
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
            whitespace_as_suffix: false,
        };
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(piece)) => pieces.push(read_piece(piece)?),
                (2, Value::Bytes(trainer)) => {
                    for field in Fields(trainer) {
                        match field? {
                            (3, Value::Number(number)) => kind = number,
                            (24, Value::Number(number)) => normalizer.whitespace_as_suffix = number != 0,
                            (35, Value::Number(number)) => byte_fallback = number != 0,
                            _ => {}
                        }
                    }
                }
                (3, Value::Bytes(rules)) => {
                    for field in Fields(rules) {
                        match field? {
                            (2, Value::Bytes(charsmap)) => normalizer.charsmap = charsmap.to_vec(),
                            (3, Value::Number(number)) => normalizer.add_dummy_prefix = number != 0,
                            (4, Value::Number(number)) => normalizer.remove_extra_whitespaces = number != 0,
                            (5, Value::Number(number)) => normalizer.escape_whitespaces = number != 0,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        let kind = match kind {
            1 => Kind::Unigram,
            2 => Kind::Bpe,
            3 => return Err("it is a model of whole words, which is not read here; use a unigram or BPE model".to_owned()),
            4 => return Err("it is a model of characters, which is not read here; use a unigram or BPE model".to_owned()),
            other => return Err(format!("it is of kind {other}, which is not known")),
        };
        if pieces.is_empty() {
            return Err("it is no SentencePiece model: it has no pieces".to_owned());
        }
        Ok(Model { kind, pieces, byte_fallback, normalizer })
    }
}

fn read_piece(bytes: &[u8]) -> Result<Piece, String> {
    let mut piece = Piece { text: String::new(), score: 0.0, kind: Type::Normal };
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(text)) => piece.text = String::from_utf8(text.to_vec()).map_err(|_| "a piece is no UTF-8".to_owned())?,
            (2, Value::Fixed(bits)) => piece.score = f32::from_bits(bits),
            (3, Value::Number(kind)) => {
                piece.kind = match kind {
                    1 => Type::Normal,
                    2 => Type::Unknown,
                    3 => Type::Control,
                    4 => Type::UserDefined,
                    5 => Type::Unused,
                    6 => Type::Byte,
                    other => return Err(format!("a piece is of type {other}, which is not known")),
                }
            }
            _ => {}
        }
    }
    Ok(piece)
}

/// The fields of a message, one after the other.
struct Fields<'a>(&'a [u8]);

/// The value of a field.
enum Value<'a> {
    Number(u64),
    Fixed(u32),
    Bytes(&'a [u8]),
    /// 64 bits that nobody asks for.
    Other,
}

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => self.take(8).map(|_| Value::Other)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| "it is no SentencePiece model, or it is cut off".to_owned()))
    }
}
