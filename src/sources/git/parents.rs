//! The parents of commits, in one piece of memory: there may be millions.

/// Of each commit, by the order in which they were added, its parents.
#[derive(Default)]
pub(super) struct Parents {
    /// Where those of each commit begin.
    starts: Vec<u32>,
    all: Vec<u32>,
}

impl Parents {
    /// For so many commits, with so many parents together.
    pub(super) fn for_some(commits: usize, parents: usize) -> Self {
        Self {
            starts: Vec::with_capacity(commits),
            all: Vec::with_capacity(parents),
        }
    }

    /// Adds a commit.
    pub(super) fn add(&mut self, parents: impl IntoIterator<Item = u32>) {
        self.starts.push(self.all.len() as u32);
        self.all.extend(parents);
    }

    /// The parents of a commit; none of one that was not added.
    pub(super) fn of(&self, commit: usize) -> &[u32] {
        let Some(start) = self.starts.get(commit) else {
            return &[];
        };
        let next = self.starts.get(commit + 1).map(|end| *end as usize);
        let end = next.unwrap_or(self.all.len());
        self.all.get(*start as usize..end).unwrap_or_default()
    }

    /// Those of all commits.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.starts.len()).map(|commit| self.of(commit))
    }

    /// How many there are together.
    pub(super) const fn total(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_commit_has_its_own() {
        let mut parents = Parents::default();
        for some in [&[][..], &[0], &[], &[1, 0, 2]] {
            parents.add(some.iter().copied());
        }
        let all: Vec<&[u32]> = parents.iter().collect();
        assert_eq!(all, [&[][..], &[0], &[], &[1, 0, 2]]);
        assert_eq!((parents.of(9), parents.total()), (&[][..], 4));
    }
}
