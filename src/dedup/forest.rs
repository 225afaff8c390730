//! Union-find over numbers from 0: the smaller number is the root, so that roots depend on nothing but the edges.

/// Disjoint sets of numbers.
#[derive(Clone, Debug, Default)]
pub struct Forest(Vec<u32>);

impl Forest {
    /// `size` numbers, each alone.
    #[must_use]
    pub fn of(size: u32) -> Forest {
        Forest((0..size).collect())
    }

    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.0.len() as u32
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds numbers, each alone, until there are `size`.
    pub fn grow(&mut self, size: u32) {
        self.0.extend(self.len()..size);
    }

    /// The smallest number of the set that holds `number`.
    pub fn root(&mut self, mut number: u32) -> u32 {
        while self.0[number as usize] != number {
            let above = self.0[number as usize];
            self.0[number as usize] = self.0[above as usize];
            number = self.0[number as usize];
        }
        number
    }

    /// Makes one set of the two that hold `a` and `b`.
    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_number_is_the_root_in_whatever_order_edges_come() {
        for edges in [[(3, 1), (1, 4), (5, 2)], [(5, 2), (4, 1), (1, 3)], [(4, 3), (1, 3), (2, 5)]] {
            let mut forest = Forest::of(5);
            forest.grow(6);
            edges.iter().for_each(|(a, b)| forest.join(*a, *b));
            assert_eq!((0..6).map(|number| forest.root(number)).collect::<Vec<_>>(), [0, 1, 2, 1, 1, 2]);
        }
    }
}
