//! Interprets what a page draws, for its text alone: which letters stand where, and how large. Forms are drawn up to [`FORMS_DEEP_MAX`] inside of
//! each other, and all pages together may take [`OPERATORS_MAX`] operators, so drawings that repeat themselves end.

use std::collections::HashMap;

use hayro_syntax::content::UntypedIter;
use hayro_syntax::object::{Array, Dict, Name, Object, Stream};
use hayro_syntax::page::{Page, Resources};

use super::font::Font;

/// Operators that a document may take.
pub(super) const OPERATORS_MAX: u64 = 50_000_000;
const FORMS_DEEP_MAX: usize = 6;
/// States that may be saved.
const SAVED_MAX: usize = 256;

/// A piece of text on one base line.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) x: f64,
    pub(super) y: f64,
    /// Where it ends.
    pub(super) x_end: f64,
    pub(super) size: f64,
    pub(super) text: String,
}

type Matrix = [f64; 6];
const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// `a` first, then `b`.
fn times(a: Matrix, b: Matrix) -> Matrix {
    [
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    ]
}

#[derive(Clone, Copy)]
struct State {
    place: Matrix,
    font: Option<usize>,
    size: f64,
    letter_space: f64,
    word_space: f64,
    /// 1 for the font's own width.
    stretch: f64,
    leading: f64,
}

struct Drawing<'b> {
    runs: Vec<Run>,
    fonts: Vec<Font>,
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    budget: &'b mut u64,
}

/// The text of a page, in the order in which it is drawn.
pub(super) fn runs(page: &Page<'_>, budget: &mut u64) -> Vec<Run> {
    let state = State { place: IDENTITY, font: None, size: 0.0, letter_space: 0.0, word_space: 0.0, stretch: 1.0, leading: 0.0 };
    let mut drawing = Drawing { runs: Vec::new(), fonts: Vec::new(), state, saved: Vec::new(), text: IDENTITY, line: IDENTITY, budget };
    drawing.draw(page.operations(), page.resources(), 0);
    drawing.runs
}

impl Drawing<'_> {
    fn draw(&mut self, mut operations: UntypedIter<'_>, resources: &Resources<'_>, depth: usize) {
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        while let Some(operation) = operations.next() {
            if *self.budget == 0 {
                return;
            }
            *self.budget -= 1;
            let operands: Vec<&Object<'_>> = operation.operands().collect();
            let numbers: Vec<f64> = operands
                .iter()
                .filter_map(|operand| if let Object::Number(number) = operand { Some(number.as_f64()) } else { None })
                .collect();
            let number = |place: usize| numbers.get(place).copied().unwrap_or(0.0);
            match &**operation.operator {
                b"q" if self.saved.len() < SAVED_MAX => self.saved.push(self.state),
                b"Q" => self.state = self.saved.pop().unwrap_or(self.state),
                b"cm" => self.state.place = times(matrix(&numbers), self.state.place),
                b"BT" => (self.text, self.line) = (IDENTITY, IDENTITY),
                b"Tc" => self.state.letter_space = number(0),
                b"Tw" => self.state.word_space = number(0),
                b"Tz" => self.state.stretch = number(0) / 100.0,
                b"TL" => self.state.leading = number(0),
                b"Tf" => {
                    if let Some(Object::Name(name)) = operands.first().copied() {
                        self.state.font = self.font(name, resources, &mut known);
                    }
                    self.state.size = number(0);
                }
                b"Td" => self.next_line(number(0), number(1)),
                b"TD" => {
                    self.state.leading = -number(1);
                    self.next_line(number(0), number(1));
                }
                b"Tm" => {
                    self.line = matrix(&numbers);
                    self.text = self.line;
                }
                b"T*" => self.next_line(0.0, -self.state.leading),
                b"Tj" => self.show_all(&operands),
                b"'" => {
                    self.next_line(0.0, -self.state.leading);
                    self.show_all(&operands);
                }
                b"\"" => {
                    (self.state.word_space, self.state.letter_space) = (number(0), number(1));
                    self.next_line(0.0, -self.state.leading);
                    self.show_all(&operands);
                }
                b"TJ" => {
                    if let Some(Object::Array(pieces)) = operands.first().copied() {
                        self.show_pieces(pieces);
                    }
                }
                b"Do" if depth < FORMS_DEEP_MAX => {
                    if let Some(Object::Name(name)) = operands.first().copied()
                        && let Some(form) = resources.get_x_object(name)
                    {
                        self.form(&form, depth);
                    }
                }
                _ => {}
            }
        }
    }

    fn form(&mut self, form: &Stream<'_>, depth: usize) {
        if form.dict().get::<Name<'_>>("Subtype").is_none_or(|kind| &*kind != b"Form") {
            return;
        }
        // Unpacking is work too, as much as a good many operators.
        let Ok(content) = form.decoded() else { return };
        *self.budget = self.budget.saturating_sub(content.len() as u64 / 16 + 100);
        let (state, saved) = (self.state, std::mem::take(&mut self.saved));
        if let Some(own) = form.dict().get::<Array<'_>>("Matrix") {
            let own: Vec<f64> = own.iter::<f32>().map(f64::from).collect();
            self.state.place = times(matrix(&own), self.state.place);
        }
        let resources = Resources::new(form.dict().get::<Dict<'_>>("Resources").unwrap_or_else(Dict::empty));
        self.draw(UntypedIter::new(&content), &resources, depth + 1);
        (self.state, self.saved) = (state, saved);
    }

    fn font(&mut self, name: &Name<'_>, resources: &Resources<'_>, known: &mut HashMap<Vec<u8>, usize>) -> Option<usize> {
        if let Some(font) = known.get(&**name) {
            return Some(*font);
        }
        self.fonts.push(Font::of(&resources.get_font(name)?));
        *self.budget = self.budget.saturating_sub(1_000);
        known.insert(name.to_vec(), self.fonts.len() - 1);
        Some(self.fonts.len() - 1)
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.line = times([1.0, 0.0, 0.0, 1.0, x, y], self.line);
        self.text = self.line;
    }

    fn show_all(&mut self, operands: &[&Object<'_>]) {
        if let Some(Object::String(text)) = operands.last().copied() {
            self.show(text);
        }
    }

    fn show_pieces(&mut self, pieces: &Array<'_>) {
        for piece in pieces.iter::<Object<'_>>() {
            match piece {
                Object::String(text) => self.show(&text),
                Object::Number(number) => self.advance(-number.as_f64() / 1000.0 * self.state.size * self.state.stretch),
                _ => {}
            }
        }
    }

    fn advance(&mut self, x: f64) {
        self.text = times([1.0, 0.0, 0.0, 1.0, x, 0.0], self.text);
    }

    fn show(&mut self, bytes: &[u8]) {
        let Some(font) = self.state.font.and_then(|font| self.fonts.get(font)) else { return };
        let State { size, letter_space, word_space, stretch, .. } = self.state;
        let (mut text, mut width) = (String::new(), 0.0);
        font.show(bytes, |letters, thousandths, is_space| {
            text.push_str(letters);
            width += (thousandths / 1000.0 * size + letter_space + if is_space { word_space } else { 0.0 }) * stretch;
        });
        *self.budget = self.budget.saturating_sub(bytes.len() as u64 / 4);
        let begin = times(self.text, self.state.place);
        self.advance(width);
        let end = times(self.text, self.state.place);
        let size = size.abs() * begin[2].hypot(begin[3]);
        if !text.is_empty() && [begin[4], begin[5], end[4], size].iter().all(|value| value.is_finite()) {
            self.runs.push(Run { x: begin[4], y: begin[5], x_end: end[4], size, text });
        }
    }
}

fn matrix(numbers: &[f64]) -> Matrix {
    numbers.get(..6).and_then(|numbers| numbers.try_into().ok()).unwrap_or(IDENTITY)
}
