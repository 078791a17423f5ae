import { decodeUtf8 } from "./byteSource.ts";
import { damaged, quoted } from "./damaged.ts";
import { callGlobal, isAllowedGlobal, PickleCall, type PickleValue, readPersistentId } from "./torchGlobals.ts";

// Opcodes: Lib/pickletools.py of CPython. Only those that torch.save writes for tensors and plain containers are known.

const maxStack = 1_000_000;
const maxMemo = 2_000_000;
const maxMarks = 1000;
const maxLongBytes = 8;

/**
 * Runs the pickle of a torch checkpoint. It can make None, booleans, numbers, text, lists, tuples, dicts and tensors (described by
 * their storage, not read), and nothing else: any other global or opcode is an error of code "checkpoint" that names it. Nothing
 * is ever imported or called. `file` is named in errors.
 */
export function unpickle(bytes: Uint8Array, file: string): PickleValue {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const memo = new Map<number, PickleValue>();
	const marks: number[] = [];
	const stack: PickleValue[] = [];
	let position = 0;

	const take = (count: number): number => {
		const start = position;
		if (count > bytes.length - position) throw damaged(file, `the pickle ends inside an instruction at byte ${start}`);
		position += count;
		return start;
	};
	const push = (value: PickleValue): void => {
		if (stack.length >= maxStack) throw damaged(file, `the pickle needs more than ${maxStack} places on its stack`);
		stack.push(value);
	};
	const floor = (): number => marks[marks.length - 1] ?? 0;
	const pop = (): PickleValue => {
		if (stack.length <= floor()) throw damaged(file, `the pickle takes a value that is not there, at byte ${position - 1}`);
		return stack.pop() as PickleValue;
	};
	const top = (): PickleValue => {
		const value = pop();
		stack.push(value);
		return value;
	};
	const popToMark = (): PickleValue[] => {
		const mark = marks.pop();
		if (mark === undefined) throw damaged(file, `the pickle closes what it has not opened, at byte ${position - 1}`);
		return stack.splice(mark);
	};
	const text = (length: number): string => {
		const start = take(length);
		return decodeUtf8(bytes.subarray(start, start + length), file, "a text of the pickle");
	};
	const line = (): string => {
		const end = bytes.indexOf(10, position);
		if (end < 0 || end - position > 1000) throw damaged(file, `the pickle has a name without an end at byte ${position}`);
		const found = text(end - position);
		position = end + 1;
		return found;
	};
	const length64 = (): number => {
		const at = take(8);
		return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
	};
	const long = (): PickleValue => {
		const length = view.getUint8(take(1));
		if (length > maxLongBytes) throw damaged(file, `the pickle has a whole number of ${length} bytes`);
		const start = take(length);
		let value = 0n;
		for (let index = length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[start + index]);
		return Number(BigInt.asIntN(length * 8, value));
	};
	const remember = (index: number): void => {
		if (memo.size >= maxMemo) throw damaged(file, `the pickle remembers more than ${maxMemo} values`);
		memo.set(index, top());
	};
	const recall = (index: number): void => {
		const value = memo.get(index);
		if (value === undefined) throw damaged(file, `the pickle recalls value ${index}, which it has not stored`);
		push(value);
	};
	const named = (module: PickleValue, name: PickleValue): void => {
		if (typeof module !== "string" || typeof name !== "string") throw damaged(file, "the pickle has a global whose name is not text");
		if (!isAllowedGlobal(`${module}.${name}`)) {
			throw damaged(
				file,
				`the pickle asks for ${quoted(`${module}.${name}`)}; only tensors and plain containers are read`,
				"Save the state dict alone: torch.save(model.state_dict(), path).",
			);
		}
		push(new PickleCall(`${module}.${name}`));
	};
	const append = (items: readonly PickleValue[]): void => {
		const list = top();
		if (!Array.isArray(list) || Object.isFrozen(list)) throw damaged(file, "the pickle appends to what is not a list");
		for (const item of items) list.push(item);
	};
	const setItems = (items: readonly PickleValue[]): void => {
		const dict = top();
		if (!(dict instanceof Map) || items.length % 2 !== 0) throw damaged(file, "the pickle sets keys of what is not a dict");
		for (let index = 0; index < items.length; index += 2) {
			const key = items[index];
			if (key !== null && typeof key === "object") throw damaged(file, "the pickle has a dict whose keys are not text or numbers");
			if (dict.has(key)) throw damaged(file, `the key ${quoted(String(key))} appears twice`);
			dict.set(key, items[index + 1]);
		}
	};
	const tuple = (items: readonly PickleValue[]): void => push(Object.freeze(items) as PickleValue[]);
	const popMany = (count: number): PickleValue[] => Array.from({ length: count }, pop).reverse();

	const instructions: Readonly<Record<number, () => void>> = {
		40: () => {
			if (marks.length >= maxMarks) throw damaged(file, `the pickle nests more than ${maxMarks} deep`);
			marks.push(stack.length);
		}, // ( MARK
		41: () => tuple([]), // ) EMPTY_TUPLE
		48: () => void pop(), // 0 POP
		49: () => void popToMark(), // 1 POP_MARK
		66: () => refuse("bytes"), // B BINBYTES
		67: () => refuse("bytes"), // C SHORT_BINBYTES
		71: () => push(view.getFloat64(take(8), false)), // G BINFLOAT
		74: () => push(view.getInt32(take(4), true)), // J BININT
		75: () => push(view.getUint8(take(1))), // K BININT1
		77: () => push(view.getUint16(take(2), true)), // M BININT2
		78: () => push(null), // N NONE
		81: () => push(readPersistentId(pop(), file)), // Q BINPERSID
		82: () => {
			const [call, args] = popMany(2);
			push(callGlobal(call, args, file));
		}, // R REDUCE
		88: () => push(text(view.getUint32(take(4), true))), // X BINUNICODE
		93: () => push([]), // ] EMPTY_LIST
		97: () => append([pop()]), // a APPEND
		98: () => {
			// Attributes of an OrderedDict (torch's `_metadata`): they hold versions of modules, nothing that is read here.
			pop();
			if (!(top() instanceof Map)) throw damaged(file, "the pickle gives attributes to what is not a dict");
		}, // b BUILD
		99: () => named(line(), line()), // c GLOBAL
		101: () => append(popToMark()), // e APPENDS
		104: () => recall(view.getUint8(take(1))), // h BINGET
		106: () => recall(view.getUint32(take(4), true)), // j LONG_BINGET
		113: () => remember(view.getUint8(take(1))), // q BINPUT
		114: () => remember(view.getUint32(take(4), true)), // r LONG_BINPUT
		115: () => setItems(popMany(2)), // s SETITEM
		116: () => tuple(popToMark()), // t TUPLE
		117: () => setItems(popToMark()), // u SETITEMS
		125: () => push(new Map()), // } EMPTY_DICT
		128: () => {
			const protocol = view.getUint8(take(1));
			if (protocol < 2 || protocol > 5) throw damaged(file, `the pickle has protocol ${protocol}; 2 to 5 are read`);
		}, // PROTO
		133: () => tuple(popMany(1)), // TUPLE1
		134: () => tuple(popMany(2)), // TUPLE2
		135: () => tuple(popMany(3)), // TUPLE3
		136: () => push(true), // NEWTRUE
		137: () => push(false), // NEWFALSE
		138: () => push(long()), // LONG1
		140: () => push(text(view.getUint8(take(1)))), // SHORT_BINUNICODE
		141: () => push(text(length64())), // BINUNICODE8
		147: () => {
			const [module, name] = popMany(2);
			named(module, name);
		}, // STACK_GLOBAL
		148: () => remember(memo.size), // MEMOIZE
		149: () => void take(8), // FRAME
	};
	const refuse = (kind: string): never => {
		throw damaged(file, `the pickle holds ${kind}; only tensors and plain containers are read`);
	};

	for (;;) {
		const opcode = view.getUint8(take(1));
		if (opcode === 46) break; // . STOP
		const instruction = instructions[opcode];
		if (instruction === undefined) throw damaged(file, `the pickle has the instruction 0x${opcode.toString(16)}, which is not read`);
		instruction();
	}
	const result = pop();
	if (stack.length > 0 || marks.length > 0) throw damaged(file, "the pickle ends with values left over");
	return result;
}
