//! Just enough of an eBPF assembler: the instructions our program uses, and forward jumps.

/// One instruction as the kernel takes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Instruction {
    code: u8,
    /// Destination in the low half, source in the high half.
    registers: u8,
    offset: i16,
    immediate: i32,
}

const _: () = assert!(size_of::<Instruction>() == 8);

/// Width of a load or store.
#[derive(Clone, Copy)]
pub(crate) enum Width {
    Byte = 0x10,
    Half = 0x08,
    Word = 0x00,
    Double = 0x18,
}

/// When a jump is taken. The words compare 32 bits, so that a constant is not sign-extended.
#[derive(Clone, Copy)]
pub(crate) enum When {
    Equal = 0x15,
    WordEqual = 0x16,
    WordUnequal = 0x56,
}

const LOAD: u8 = 0x61;
const STORE: u8 = 0x63;
const STORE_IMMEDIATE: u8 = 0x62;
const MOVE_IMMEDIATE: u8 = 0xb7;
const MOVE: u8 = 0xbf;
const ADD_IMMEDIATE: u8 = 0x07;
const AND_IMMEDIATE: u8 = 0x57;
const OR_IMMEDIATE: u8 = 0x47;
const OR: u8 = 0x4f;
const SHIFT_LEFT_IMMEDIATE: u8 = 0x67;
const JUMP: u8 = 0x05;
const JUMP_GREATER: u8 = 0x2d;
const LOAD_WIDE: u8 = 0x18;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
/// In the source register of a wide load: the immediate is a map's descriptor.
const PSEUDO_MAP: u8 = 1;
/// In the source register of a call: the immediate is the BTF id of a kernel function.
const PSEUDO_KERNEL_FUNCTION: u8 = 2;

/// A place in the program that jumps lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(usize);

/// A program under construction. Registers are numbered as in eBPF: 0 for results, 1 to 5 for
/// arguments (lost by a call), 6 to 9 kept, 10 the end of the stack.
#[derive(Default)]
pub(crate) struct Assembler {
    instructions: Vec<Instruction>,
    labels: usize,
    jumps: Vec<(usize, Label)>,
}

impl Assembler {
    fn push(&mut self, code: u8, to: u8, from: u8, offset: i16, immediate: i32) {
        let registers = (from << 4) | to;
        self.instructions.push(Instruction {
            code,
            registers,
            offset,
            immediate,
        });
    }

    /// `to = *(from + offset)`, zero-extended.
    pub fn load(&mut self, width: Width, to: u8, from: u8, offset: i16) {
        self.push(LOAD | width as u8, to, from, offset, 0);
    }

    /// `*(to + offset) = from`.
    pub fn store(&mut self, width: Width, to: u8, offset: i16, from: u8) {
        self.push(STORE | width as u8, to, from, offset, 0);
    }

    /// `*(to + offset) = value`.
    pub fn store_value(&mut self, width: Width, to: u8, offset: i16, value: i32) {
        self.push(STORE_IMMEDIATE | width as u8, to, 0, offset, value);
    }

    pub fn copy(&mut self, to: u8, from: u8) {
        self.push(MOVE, to, from, 0, 0);
    }

    pub fn set(&mut self, to: u8, value: i32) {
        self.push(MOVE_IMMEDIATE, to, 0, 0, value);
    }

    pub fn add(&mut self, to: u8, value: i32) {
        self.push(ADD_IMMEDIATE, to, 0, 0, value);
    }

    pub fn and(&mut self, to: u8, value: i32) {
        self.push(AND_IMMEDIATE, to, 0, 0, value);
    }

    pub fn or_value(&mut self, to: u8, value: i32) {
        self.push(OR_IMMEDIATE, to, 0, 0, value);
    }

    pub fn or(&mut self, to: u8, from: u8) {
        self.push(OR, to, from, 0, 0);
    }

    pub fn shift_left(&mut self, to: u8, bits: i32) {
        self.push(SHIFT_LEFT_IMMEDIATE, to, 0, 0, bits);
    }

    /// `to = the map`, two slots wide.
    pub fn load_map(&mut self, to: u8, descriptor: i32) {
        self.push(LOAD_WIDE, to, PSEUDO_MAP, 0, descriptor);
        self.push(0, 0, 0, 0, 0);
    }

    /// A label not placed yet.
    pub fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels)
    }

    pub fn jump(&mut self, to: Label) {
        self.jumps.push((self.instructions.len(), to));
        self.push(JUMP, 0, 0, 0, 0);
    }

    pub fn jump_when(&mut self, when: When, left: u8, value: i32, to: Label) {
        self.jumps.push((self.instructions.len(), to));
        self.push(when as u8, left, 0, 0, value);
    }

    pub fn jump_if_greater(&mut self, left: u8, right: u8, to: Label) {
        self.jumps.push((self.instructions.len(), to));
        self.push(JUMP_GREATER, left, right, 0, 0);
    }

    /// Calls a helper by its number.
    pub fn call(&mut self, helper: i32) {
        self.push(CALL, 0, 0, 0, helper);
    }

    /// Calls a function of the kernel by its BTF id.
    pub fn call_kernel(&mut self, id: u32) {
        self.push(CALL, 0, PSEUDO_KERNEL_FUNCTION, 0, id as i32);
    }

    pub fn exit(&mut self) {
        self.push(EXIT, 0, 0, 0, 0);
    }

    /// Points every jump to `label` so far at the next instruction.
    pub fn place(&mut self, label: Label) {
        let here = self.instructions.len();
        for &(jump, _) in self.jumps.iter().filter(|(_, to)| *to == label) {
            self.instructions[jump].offset = (here - jump - 1) as i16;
        }
        self.jumps.retain(|(_, to)| *to != label);
    }

    /// Whether a jump leads to this label, not placed yet. The kernel refuses unreachable code.
    pub fn leads_to(&self, label: Label) -> bool {
        self.jumps.iter().any(|(_, to)| *to == label)
    }

    pub fn finish(self) -> Vec<Instruction> {
        assert!(self.jumps.is_empty(), "a jump leads nowhere");
        self.instructions
    }
}
