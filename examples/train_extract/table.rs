//! The rows to learn from.

use std::path::Path;

/// Blocks with their features, and what is wanted of them.
#[derive(Clone, Debug)]
pub struct Table {
    pub rows: usize,
    pub names: Vec<String>,
    /// A column a feature.
    pub columns: Vec<Vec<u8>>,
    /// 1 for content, 0 for none.
    pub wanted: Vec<f32>,
    /// Rows with a weight of 0 are not learned from.
    pub weight: Vec<f32>,
    pub page: Vec<u32>,
}

impl Table {
    /// Reads `folder`/features.bin, and for each row what `job` wants.
    pub fn read(folder: &Path, job: &str) -> Result<Table, Box<dyn std::error::Error>> {
        let names: Vec<String> = serde_json::from_slice(&std::fs::read(folder.join("names.json"))?)?;
        let bytes = std::fs::read(folder.join("features.bin"))?;
        let rows = bytes.len() / names.len().max(1);
        let columns = (0..names.len()).map(|place| bytes.iter().skip(place).step_by(names.len()).copied().collect()).collect();
        let page = floats(&format!("{job}.page"))?.into_iter().map(|page| page as u32).collect();
        Ok(Table { rows, names, columns, wanted: floats(&format!("{job}.wanted"))?, weight: floats(&format!("{job}.weight"))?, page })
    }

    /// The table without the rows for which `is` holds.
    pub fn without(&self, is: impl Fn(usize) -> bool) -> Table {
        let weight = self.weight.iter().enumerate().map(|(row, weight)| if is(row) { 0.0 } else { *weight }).collect();
        Table { weight, ..self.clone() }
    }
}

/// The 32-bit floats of a file.
pub fn floats(path: &str) -> std::io::Result<Vec<f32>> {
    let bytes = std::fs::read(path)?;
    Ok(bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
}
