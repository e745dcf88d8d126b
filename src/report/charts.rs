//! Figures as characters, for a terminal.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One character a figure, as high as it is against the highest; a blank for none.
pub(crate) fn sparkline(figures: impl IntoIterator<Item = u64> + Clone) -> String {
    let most = u128::from(figures.clone().into_iter().max().unwrap_or(0).max(1));
    let bar = |figure: u64| {
        let step = usize::try_from(u128::from(figure) * 7 / most).ok();
        match figure {
            0 => ' ',
            _ => step.and_then(|step| BARS.get(step)).copied().unwrap_or('█'),
        }
    };
    figures.into_iter().map(bar).collect()
}

/// A bar of parts, each with its character, so many columns wide in all. A part that is there at all is seen.
pub(crate) fn stacked(parts: &[(u64, char)], columns: usize) -> String {
    let total: u128 = parts.iter().map(|(part, _)| u128::from(*part)).sum();
    if total == 0 {
        return String::new();
    }
    let wide = |part: u64| {
        let share = u128::from(part) * columns as u128 / total;
        let least = u128::from(part > 0);
        usize::try_from(share.max(least)).unwrap_or(columns)
    };
    let mut widths: Vec<usize> = parts.iter().map(|(part, _)| wide(*part)).collect();
    // What rounding leaves over, or takes too much, belongs to the widest.
    let used: usize = widths.iter().sum();
    if let Some(widest) = widths.iter_mut().max() {
        *widest = (*widest + columns).saturating_sub(used);
    }
    let parts = parts.iter().zip(widths);
    parts
        .flat_map(|((_, mark), width)| std::iter::repeat_n(*mark, width))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn figures_are_as_high_as_they_are() {
        assert_eq!(sparkline([0, 1, 4, 8]), " ▁▄█");
        assert_eq!(sparkline([u64::MAX, 0]), "█ ");
        assert_eq!(sparkline([]), "");
    }

    #[test]
    fn a_small_part_is_seen() {
        assert_eq!(stacked(&[(1, '#'), (999, '.')], 10), "#.........");
        assert_eq!(stacked(&[(5, '#'), (5, '.')], 10), "#####.....");
        assert_eq!(stacked(&[(0, '#')], 10), "");
    }

    proptest! {
        #[test]
        fn a_bar_is_as_wide_as_asked(a: u64, b: u64, c: u64, columns in 8_usize..60) {
            let bar = stacked(&[(a, '#'), (b, '.'), (c, '?')], columns);
            prop_assert!(bar.is_empty() && a == 0 && b == 0 && c == 0 || bar.chars().count() == columns);
        }
    }
}
