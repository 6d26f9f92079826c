//! Small models in ONNX, written by hand: messages of protobuf as `onnx.proto` has them.

/// Bytes of a message.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(mut self, mut x: u64) -> Self {
        while x >= 0x80 {
            self.0.push(x as u8 | 0x80);
            x >>= 7;
        }
        self.0.push(x as u8);
        self
    }

    fn number(self, field: u64, x: u64) -> Self {
        self.varint(field << 3).varint(x)
    }

    fn bytes(self, field: u64, bytes: &[u8]) -> Self {
        let mut all = self.varint(field << 3 | 2).varint(bytes.len() as u64);
        all.0.extend_from_slice(bytes);
        all
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u64, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }
}

pub const FLOAT: u64 = 1;
pub const INT64: u64 = 7;

/// A size that is known, or the name of one that is not.
#[derive(Clone, Copy)]
pub enum Size {
    Is(u64),
    Any,
}

/// A graph that grows.
#[derive(Clone, Default)]
pub struct Graph(Message);

impl Graph {
    /// A node: its operator, inputs, outputs, and attributes that are whole numbers.
    pub fn node(self, operator: &str, from: &[&str], to: &[&str], numbers: &[(&str, i64)]) -> Self {
        let mut node = Message::default();
        node = from.iter().fold(node, |node, name| node.text(1, name));
        node = to.iter().fold(node, |node, name| node.text(2, name));
        node = node.text(4, operator);
        for (name, x) in numbers {
            let attribute = Message::default().text(1, name);
            let attribute = attribute.number(3, *x as u64).number(20, 2);
            node = node.message(5, &attribute);
        }
        Self(self.0.message(1, &node))
    }

    /// A node of ZipMap, which makes maps by class of two columns.
    pub fn zip_map(self, from: &str, to: &str) -> Self {
        let classes = Message::default().text(1, "classlabels_int64s");
        let classes = [0, 1].iter().fold(classes, |all, x| all.number(8, *x));
        let node = Message::default().text(1, from).text(2, to);
        let node = node.text(4, "ZipMap").text(7, "ai.onnx.ml");
        Self(self.0.message(1, &node.message(5, &classes.number(20, 7))))
    }

    /// Weights.
    pub fn weights(self, name: &str, shape: &[usize], numbers: &[f32]) -> Self {
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let dims = shape.iter().map(|size| *size as u64);
        let tensor = dims.fold(Message::default(), |tensor, size| tensor.number(1, size));
        let tensor = tensor.number(2, FLOAT).text(8, name).bytes(9, &bytes);
        Self(self.0.message(5, &tensor))
    }

    pub fn input(self, name: &str, kind: u64, shape: &[Size]) -> Self {
        Self(self.0.message(11, &value(name, &tensor(kind, shape))))
    }

    pub fn output(self, name: &str, kind: u64, shape: &[Size]) -> Self {
        Self(self.0.message(12, &value(name, &tensor(kind, shape))))
    }

    /// An output of maps from classes to numbers.
    pub fn output_maps(self, name: &str) -> Self {
        let map = Message::default().number(1, INT64);
        let map = Message::default().message(5, &map.message(2, &tensor(FLOAT, &[])));
        let maps = Message::default().message(4, &Message::default().message(1, &map));
        Self(self.0.message(12, &value(name, &maps)))
    }

    /// The model: its version, the versions of its operators, the graph.
    pub fn model(self) -> Vec<u8> {
        let version = |domain: &str, version| Message::default().text(1, domain).number(2, version);
        let model = Message::default().number(1, 8);
        let model = model.message(7, &self.0.text(2, "made"));
        let model = model.message(8, &version("", 13));
        model.message(8, &version("ai.onnx.ml", 1)).0
    }
}

fn value(name: &str, kind: &Message) -> Message {
    Message::default().text(1, name).message(2, kind)
}

fn tensor(kind: u64, shape: &[Size]) -> Message {
    let sizes = shape.iter().map(|size| match size {
        Size::Is(size) => Message::default().number(1, *size),
        Size::Any => Message::default().text(2, "rows"),
    });
    let shape = sizes.fold(Message::default(), |all, size| all.message(1, &size));
    let tensor = Message::default().number(1, kind).message(2, &shape);
    Message::default().message(1, &tensor)
}
