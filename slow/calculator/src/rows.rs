//! Rows of a name and a number for each asset: constraints, views, scenarios.

use std::path::Path;

use crate::Refused;
use crate::market::Market;
use crate::table::Table;

/// A table whose columns are assets, but for a few.
pub(crate) struct Rows {
    pub table: Table,
    names: Vec<String>,
    /// The other columns, in the order in which they were asked for.
    pub taken: Vec<Vec<f64>>,
    /// What those are called, and where they stand in the file.
    taken_places: Vec<(&'static str, usize)>,
    /// The asset of each column.
    assets: Vec<usize>,
    count: usize,
}

impl Rows {
    /// Reads rows of a market's assets.
    pub fn read(file: &Path, market: &Market, others: &[&'static str]) -> Result<Self, Refused> {
        let mut table = Table::read(file)?;
        let names = table.labels.clone().filter(|_| !table.names.is_empty());
        let Some(names) = names else {
            let all = [&["name"], others, &["and assets"]].concat().join(", ");
            let what = format!("the first line names the columns: {all}");
            return Err(table.blame(&what));
        };
        let (mut taken, mut taken_places) = (Vec::new(), Vec::new());
        for name in others {
            let column = table.find(name)?;
            taken_places.push((*name, table.place(column)));
            taken.push(table.take(column));
        }
        let mut assets = Vec::with_capacity(table.width);
        for name in &table.names {
            let asset = market.names.iter().position(|asset| asset == name);
            let asset =
                asset.ok_or_else(|| table.blame(&format!("there are no returns of {name:?}")))?;
            if assets.contains(&asset) {
                return Err(table.blame(&format!("two columns are of {name:?}")));
            }
            assets.push(asset);
        }
        if let Some(at) = table.numbers.iter().position(|x| x.is_infinite()) {
            let [row, column] = [at / table.width, at % table.width];
            return Err(table.blame_cell(row, column, "there is no number"));
        }
        Ok(Self {
            count: market.assets(),
            table,
            names,
            taken,
            taken_places,
            assets,
        })
    }

    /// Each row's name, and its number of each asset: 0 where there is none.
    pub fn each(&self) -> impl Iterator<Item = (String, Vec<f64>)> {
        self.names.iter().enumerate().map(|(row, name)| {
            let mut numbers = vec![0.0; self.count];
            let cells = &self.table.numbers[row * self.table.width..][..self.table.width];
            for (asset, cell) in self.assets.iter().zip(cells) {
                numbers[*asset] = if cell.is_nan() { 0.0 } else { *cell };
            }
            (name.clone(), numbers)
        })
    }

    /// What is wrong with a row's cell in one of the other columns, or with its name.
    pub fn blame(&self, row: usize, column: &str, what: &str) -> Refused {
        let mut places = self.taken_places.iter();
        let place = places.find(|(name, _)| *name == column);
        let place = place.map_or(1, |(_, place)| *place);
        self.table.blame_at(row, place, column, what)
    }
}
