//! Tables of text.

use super::*;

fn parse(text: &str) -> Result<Table, String> {
    let table = Table::parse(Path::new("t.csv"), text, None);
    table.map(|(table, _)| table).map_err(|refused| refused.0)
}

#[test]
fn a_column_of_words_is_given_beside_the_numbers() {
    let parse = |text: &str, label: &str| {
        let found = Table::parse(Path::new("t.csv"), text, Some(label));
        found.map_err(|refused| refused.0)
    };
    for (text, place) in [
        ("a,Label,b\n1,BUY,2\n3,SELL,\n", 3),
        ("label,a,b\nBUY,1,2\nSELL,3,\n", 3),
        ("day,a,b,label\nd1,1,2,BUY\nd2,3,,SELL\n", 3),
    ] {
        let (table, words) = parse(text, "label").unwrap();
        assert_eq!((table.width, table.height()), (2, 2));
        assert_eq!(table.names, ["a", "b"]);
        assert_eq!(words, ["BUY", "SELL"]);
        let hole = table.whole().unwrap_err().0;
        let wanted = format!("t.csv, line 3, column {place} (b): there is no number");
        assert_eq!(hole, wanted);
    }
    let refused = parse("a,label\n1,BUY\n2,\n", "label").unwrap_err();
    assert_eq!(
        refused,
        "t.csv, line 3, column 2 (label): there is no label"
    );
    let refused = parse("a,b\n1,2\n", "label").unwrap_err();
    assert_eq!(refused, "t.csv: no column \"label\"; there are: a, b");
}

#[test]
fn names_and_labels_are_found_out() {
    let table = parse("date,A,\"B, or \"\"b\"\"\"\n2026-01-01,1,2\n2026-01-02,3,\n").unwrap();
    assert_eq!(table.names, ["A", "B, or \"b\""]);
    assert_eq!([table.label(1), table.name(0)], ["2026-01-02", "A"]);
    assert_eq!(table.numbers[..3], [1.0, 2.0, 3.0]);
    let hole = table.whole().unwrap_err().0;
    assert_eq!(
        hole,
        "t.csv, line 3, column 3 (B, or \"b\"): there is no number"
    );
    let table = parse("1,2\r\n3,nan\r\n").unwrap();
    assert_eq!(
        (table.width, table.height(), table.label(0)),
        (2, 2, "1".into())
    );
    let table = parse("day,x\n1,5\n2,6\n").unwrap();
    assert_eq!((table.width, table.numbers), (1, vec![5.0, 6.0]));
    let table = parse("x\n5\n6\n").unwrap();
    assert_eq!((table.width, table.numbers), (1, vec![5.0, 6.0]));
    assert_eq!(parse("A,B\n1,2").unwrap().find("b"), Ok(1));
    let table = parse("\u{feff}A,B\n1,2").unwrap();
    assert_eq!(table.names, ["A", "B"]);
    let table = parse("day,2026\nd1,5\n").unwrap();
    assert_eq!((table.name(0), table.numbers), ("2026".into(), vec![5.0]));
}

#[test]
fn labels_need_no_names_above_them() {
    let table = parse("AA,1,2\nBB,3,\n").unwrap();
    assert!(table.names.is_empty() && table.height() == 2);
    assert_eq!([table.label(0), table.label(1)], ["AA", "BB"]);
    assert_eq!(table.numbers[..3], [1.0, 2.0, 3.0]);
    let hole = table.whole().unwrap_err().0;
    assert_eq!(hole, "t.csv, line 2, column 3 (2): there is no number");
}

#[test]
fn faults_have_their_place() {
    for (text, wanted) in [
        ("", "t.csv: the file is empty"),
        ("a,b\n", "t.csv: there is no row of numbers"),
        (
            "a,b\n1,2\n3\n",
            "t.csv, line 3: 1 cells, 2 in the first line",
        ),
        (
            "a,b\n1,2\n3,x\n",
            "t.csv, line 3, column 2 (b): \"x\" is no number",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err(), wanted);
    }
}
