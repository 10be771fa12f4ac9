//! Lists of small numbers packed one after another: compressed sparse rows.

/// Compressed sparse rows without values.
///
/// # Shape
/// Row `r` is `items[starts[r]..starts[r + 1]]`; `starts` has one entry more than there are rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    starts: Vec<usize>,
    items: Vec<u32>,
}

impl Default for Rows {
    fn default() -> Self {
        Self { starts: vec![0], items: Vec::new() }
    }
}

impl Rows {
    /// Rows from their starts and items.
    #[must_use]
    pub fn new(starts: Vec<usize>, items: Vec<u32>) -> Self {
        Self { starts, items }
    }

    /// Appends a row.
    pub fn push(&mut self, row: &[u32]) {
        self.items.extend_from_slice(row);
        self.starts.push(self.items.len());
    }

    /// One row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[u32] {
        &self.items[self.starts[row]..self.starts[row + 1]]
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of items of all rows.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// True without rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|pair| &self.items[pair[0]..pair[1]])
    }

    /// For each of `columns` items, the rows that hold it, ascending.
    ///
    /// # Cost
    /// Linear.
    #[must_use]
    pub fn transposed(&self, columns: usize) -> Self {
        let mut starts = vec![0; columns + 1];
        for item in &self.items {
            starts[*item as usize + 1] += 1;
        }
        for column in 0..columns {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let mut items = vec![0; self.items.len()];
        for (row, row_items) in (0u32..).zip(self.iter()) {
            for item in row_items {
                items[next[*item as usize]] = row;
                next[*item as usize] += 1;
            }
        }
        Self { starts, items }
    }
}
