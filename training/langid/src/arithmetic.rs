//! The exponential function from plain arithmetic, so that every machine gets the same last bit.

/// e to the power of `x`, by powers of two and a series; good to a few units of the last place where it is used.
pub fn exp(x: f64) -> f64 {
    if x < -700.0 {
        return 0.0;
    }
    let twos = (x * std::f64::consts::LOG2_E).floor();
    let rest = x - twos * std::f64::consts::LN_2;
    let series = (1..=16).rev().fold(1.0, |sum, n| 1.0 + sum * rest / f64::from(n));
    series * f64::from_bits(((1023 + twos as i64) as u64) << 52)
}

/// Turns scores into probabilities, in place.
pub fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = exp(f64::from(*score - most)) as f32;
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
}
