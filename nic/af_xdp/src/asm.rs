//! Just enough of an eBPF assembler: the instructions our program uses, and jumps to one label.

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
}

const LOAD: u8 = 0x61;
const STORE: u8 = 0x63;
const MOVE_IMMEDIATE: u8 = 0xb7;
const MOVE: u8 = 0xbf;
const ADD_IMMEDIATE: u8 = 0x07;
const AND_IMMEDIATE: u8 = 0x57;
const JUMP_EQUAL: u8 = 0x15;
const JUMP_NOT_EQUAL: u8 = 0x55;
const JUMP_GREATER: u8 = 0x2d;
const LOAD_WIDE: u8 = 0x18;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
/// In the source register of a wide load: the immediate is a map's descriptor.
const PSEUDO_MAP: u8 = 1;

/// A program under construction. Jumps lead to the place where `label` is called.
#[derive(Default)]
pub(crate) struct Assembler {
    instructions: Vec<Instruction>,
    jumps: Vec<usize>,
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

    /// `*(to + offset) = from`, 32 bits.
    pub fn store_word(&mut self, to: u8, offset: i16, from: u8) {
        self.push(STORE, to, from, offset, 0);
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

    /// `to = the map`, two slots wide.
    pub fn load_map(&mut self, to: u8, descriptor: i32) {
        self.push(LOAD_WIDE, to, PSEUDO_MAP, 0, descriptor);
        self.push(0, 0, 0, 0, 0);
    }

    pub fn jump_if_greater(&mut self, left: u8, right: u8) {
        self.jumps.push(self.instructions.len());
        self.push(JUMP_GREATER, left, right, 0, 0);
    }

    pub fn jump_unless_equal(&mut self, left: u8, value: i32) {
        self.jumps.push(self.instructions.len());
        self.push(JUMP_NOT_EQUAL, left, 0, 0, value);
    }

    pub fn jump_if_equal(&mut self, left: u8, value: i32) {
        self.jumps.push(self.instructions.len());
        self.push(JUMP_EQUAL, left, 0, 0, value);
    }

    pub fn call(&mut self, function: i32) {
        self.push(CALL, 0, 0, 0, function);
    }

    pub fn exit(&mut self) {
        self.push(EXIT, 0, 0, 0, 0);
    }

    /// Points every jump so far at the next instruction.
    pub fn label(&mut self) {
        let here = self.instructions.len();
        for jump in self.jumps.drain(..) {
            self.instructions[jump].offset = (here - jump - 1) as i16;
        }
    }

    pub fn finish(self) -> Vec<Instruction> {
        assert!(self.jumps.is_empty(), "a jump leads nowhere");
        self.instructions
    }
}
