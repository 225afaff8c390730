//! Boosted oblivious trees over byte features: all that is left of the training at run time.
//!
//! An oblivious tree asks the same question of every block at one level (Kohavi 1994; CatBoost, Prokhorenkova and others 2018), so
//! judging is a comparison of a column with a number for sixteen blocks at once and a look into a table, without a branch. Sums are
//! integers and the way from sum to judgement is a table, so every machine gives the same verdict.

use super::features::Columns;
use super::features::columns::LANES;

/// The first bytes of a model, with its version.
const MAGIC: &[u8] = b"tamis trees 1\n";
/// Deeper trees would not fit a byte.
const DEPTH_MAX: usize = 8;

/// A judge of blocks.
#[derive(Debug)]
pub(super) struct Forest {
    trees: Vec<Tree>,
    bias: i32,
    /// Sums from which on a judgement is at least 1, 2, .. 255.
    steps: Vec<i32>,
}

#[derive(Debug)]
struct Tree {
    /// Column and number: does the block have more?
    questions: Vec<(u16, u8)>,
    /// What each pattern of answers adds, the answer to the first question in the lowest bit.
    leaves: Vec<i16>,
}

/// Why a model cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ModelError {
    #[error("it is cut short or no model")]
    Malformed,
    #[error("it asks for the feature `{0}`, which there is none of")]
    UnknownFeature(String),
}

impl Forest {
    /// Reads a model whose features are found by name among `names`.
    pub(super) fn read(bytes: &[u8], names: &[String]) -> Result<Forest, ModelError> {
        let mut rest = Rest(bytes.strip_prefix(MAGIC).ok_or(ModelError::Malformed)?);
        let mut columns = Vec::new();
        for _ in 0..rest.u16()? {
            let length = rest.u8()?;
            let name = String::from_utf8_lossy(rest.take(length.into())?).into_owned();
            let place = names.iter().position(|known| *known == name).ok_or(ModelError::UnknownFeature(name))?;
            columns.push(place as u16);
        }
        let bias = rest.i32()?;
        let steps = (0..255).map(|_| rest.i32()).collect::<Result<Vec<i32>, ModelError>>()?;
        let trees = (0..rest.u16()?).map(|_| rest.tree(&columns)).collect::<Result<Vec<Tree>, ModelError>>()?;
        if rest.0.is_empty() && steps.is_sorted() { Ok(Forest { trees, bias, steps }) } else { Err(ModelError::Malformed) }
    }

    /// The judgement of each block, in 255ths.
    pub(super) fn judge(&self, columns: &Columns) -> Vec<u8> {
        let mut sums = vec![self.bias; columns.rows().next_multiple_of(LANES)];
        for tree in &self.trees {
            tree.add(columns, &mut sums);
        }
        sums[..columns.rows()].iter().map(|sum| self.steps.partition_point(|step| step <= sum) as u8).collect()
    }
}

impl Tree {
    fn add(&self, columns: &Columns, sums: &mut [i32]) {
        let asked: Vec<(&[u8], u8)> = self.questions.iter().map(|(column, number)| (columns.at((*column).into()), *number)).collect();
        for (chunk, sums) in sums.chunks_exact_mut(LANES).enumerate() {
            let mut answers = [0_u8; LANES];
            for (level, (column, number)) in asked.iter().enumerate() {
                let Some(values) = column[chunk * LANES..].first_chunk::<LANES>() else { continue };
                for (answer, value) in answers.iter_mut().zip(values) {
                    *answer |= u8::from(value > number) << level;
                }
            }
            for (sum, answer) in sums.iter_mut().zip(answers) {
                *sum += i32::from(self.leaves[usize::from(answer)]);
            }
        }
    }
}

/// What is not read yet.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], ModelError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(ModelError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ModelError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(ModelError::Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, ModelError> {
        Ok(self.array::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16, ModelError> {
        self.array().map(u16::from_le_bytes)
    }

    fn i32(&mut self) -> Result<i32, ModelError> {
        self.array().map(i32::from_le_bytes)
    }

    fn tree(&mut self, columns: &[u16]) -> Result<Tree, ModelError> {
        let depth = usize::from(self.u8()?);
        if depth > DEPTH_MAX {
            return Err(ModelError::Malformed);
        }
        let mut questions = Vec::with_capacity(depth);
        for _ in 0..depth {
            let column = *columns.get(usize::from(self.u16()?)).ok_or(ModelError::Malformed)?;
            questions.push((column, self.u8()?));
        }
        let leaves = (0..1 << depth).map(|_| self.array().map(i16::from_le_bytes)).collect::<Result<Vec<i16>, ModelError>>()?;
        Ok(Tree { questions, leaves })
    }
}

#[cfg(test)]
mod tests {
    use super::super::features::{Counted, features};
    use super::super::judge::MODEL;
    use super::super::tree::Page;
    use super::*;

    /// One tree with one question: are there more than four words?
    fn model() -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&1_u16.to_le_bytes());
        bytes.push(9);
        bytes.extend_from_slice(b"own.words");
        bytes.extend_from_slice(&0_i32.to_le_bytes());
        for step in 0..255_i32 {
            bytes.extend_from_slice(&(step - 127).to_le_bytes());
        }
        bytes.extend_from_slice(&1_u16.to_le_bytes());
        bytes.extend_from_slice(&[1, 0, 0, 4]);
        bytes.extend_from_slice(&(-50_i16).to_le_bytes());
        bytes.extend_from_slice(&60_i16.to_le_bytes());
        bytes
    }

    fn columns(html: &str) -> Columns {
        let limits = super::super::builder::Limits { links: false, nodes_max: 1000, depth_max: 512 };
        let page = super::super::builder::build(html, limits).expect("a small page");
        features(&Counted::of(&page), "")
    }

    #[test]
    fn each_block_gets_what_its_leaf_says() {
        let columns = columns("<p>Kaksi sanaa</p><p>Tässä on jo kuusi eri sanaa</p>");
        let names: Vec<String> = columns.names().collect();
        let forest = Forest::read(&model(), &names).expect("a model");
        assert_eq!(forest.judge(&columns), [78, 188]);
    }

    #[test]
    fn a_model_that_is_cut_or_asks_for_what_is_not_there_is_refused() {
        let names = vec!["own.words".to_owned()];
        for length in 0..model().len() {
            assert_eq!(Forest::read(&model()[..length], &names).err(), Some(ModelError::Malformed), "{length}");
        }
        assert_eq!(Forest::read(&model(), &[]).err(), Some(ModelError::UnknownFeature("own.words".to_owned())));
    }

    #[test]
    fn the_model_in_the_house_knows_its_features_and_is_small() {
        let page = Page::default();
        let names: Vec<String> = features(&Counted::of(&page), "").names().collect();
        let forest = Forest::read(MODEL, &names);
        assert!(forest.is_ok(), "{forest:?}");
        assert!(MODEL.len() < 1 << 20);
    }
}
