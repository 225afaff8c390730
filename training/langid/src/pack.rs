//! The file that the program embeds.

use crate::calibrate::LENGTHS;
use crate::classes::{Class, full_tag};
use crate::trainer::{DIMENSIONS, Network};

const MAGIC: &[u8] = b"TAMISLID";
const TAG_BYTES: usize = 8;
/// Steps a value can take on either side of nothing.
pub const LEVELS: f32 = 7.0;

/// Classes with their vectors, the curves of calibration, and the rows in 4 bits a value: the first half of a row in the lower bits.
pub fn pack(network: &Network, widths: &[f32; DIMENSIONS], classes: &[Class], curves: &[(f32, f32); LENGTHS]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    file.extend((classes.len() as u32).to_le_bytes());
    for (offset, slope) in curves {
        file.extend(offset.to_le_bytes());
        file.extend(slope.to_le_bytes());
    }
    for (index, class) in classes.iter().enumerate() {
        let mut tag = full_tag(class).into_bytes();
        tag.resize(TAG_BYTES, 0);
        file.extend(tag);
        file.extend((class.family as u32).to_le_bytes());
        file.extend(network.biases[index].to_le_bytes());
        for (value, width) in network.classes[index].iter().zip(widths) {
            file.extend((value * width).to_le_bytes());
        }
    }
    for row in &network.rows {
        let steps: Vec<u8> = row.iter().zip(widths).map(|(value, width)| ((value / width).round() + LEVELS + 1.0) as u8).collect();
        let (low, high) = steps.split_at(DIMENSIONS / 2);
        file.extend(low.iter().zip(high).map(|(low, high)| low | high << 4));
    }
    file
}
