use super::Strength;

#[test]
fn full_control_is_certain() {
    let full = Strength::full();
    assert!(full.admin && full.certain && full.tier == 5);
}
