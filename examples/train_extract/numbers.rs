//! Random numbers, exponentials and logarithms that are the same on every machine: plain arithmetic, no library of the system.

/// A generator of random numbers: SplitMix64 (Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    /// Whether it is one of `share` of all cases.
    pub fn is_in(&mut self, share: f32) -> bool {
        ((self.next() >> 40) as f32) < share * 16_777_216.0
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The logistic function.
pub fn logistic(x: f32) -> f32 {
    (1.0 / (1.0 + exp(-f64::from(x)))) as f32
}

/// The logarithm of `p` to `1 - p`, by Newton's method.
pub fn logit(p: f64) -> f64 {
    let mut x = 0.0;
    for _ in 0..60 {
        let q = 1.0 / (1.0 + exp(-x));
        x += ((p - q) / (q * (1.0 - q))).clamp(-1.0, 1.0);
    }
    x
}

/// e to the power of `x`: a power of two and a series for the rest.
fn exp(x: f64) -> f64 {
    let x = x.clamp(-60.0, 60.0);
    let doublings = (x * std::f64::consts::LOG2_E).round();
    let rest = x - doublings * std::f64::consts::LN_2;
    let series = (1..=13).rev().fold(1.0, |sum, n| 1.0 + sum * rest / f64::from(n));
    series * f64::from_bits(((1023.0 + doublings) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_what_they_should_be() {
        assert!((exp(1.0) - std::f64::consts::E).abs() < 1e-12);
        assert!((logit(0.9) - 9_f64.ln()).abs() < 1e-9);
        assert!((logistic(0.0) - 0.5).abs() < 1e-6);
    }
}
