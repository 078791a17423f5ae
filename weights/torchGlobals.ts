import { damaged, quoted } from "./damaged.ts";
import type { StoredDType } from "./source.ts";
import { checkedElementCount, storedElementBytes } from "./storedTensor.ts";

/** What a restricted pickle can make. Tuples are frozen arrays. */
export type PickleValue =
	| null
	| boolean
	| number
	| string
	| PickleValue[]
	| Map<PickleValue, PickleValue>
	| TorchTensor
	| TorchStorage
	| PickleCall;

/** A global that a pickle has named and may call or pass on. */
export class PickleCall {
	readonly name: string;
	constructor(name: string) {
		this.name = name;
	}
}

/** A storage of the archive, entry "data/KEY". */
export class TorchStorage {
	readonly key: string;
	readonly dtype: StoredDType;
	readonly elementCount: number;
	constructor(key: string, dtype: StoredDType, elementCount: number) {
		this.key = key;
		this.dtype = dtype;
		this.elementCount = elementCount;
	}
}

/** A view of a storage; offset and strides in elements, checked to lie inside it. */
export class TorchTensor {
	readonly storage: TorchStorage;
	readonly offset: number;
	readonly shape: readonly number[];
	readonly strides: readonly number[];
	constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
		this.storage = storage;
		this.offset = offset;
		this.shape = shape;
		this.strides = strides;
	}
}

const storageTypes: Readonly<Record<string, StoredDType>> = Object.freeze({
	"torch.DoubleStorage": "F64",
	"torch.FloatStorage": "F32",
	"torch.HalfStorage": "F16",
	"torch.BFloat16Storage": "BF16",
	"torch.LongStorage": "I64",
	"torch.IntStorage": "I32",
	"torch.ShortStorage": "I16",
	"torch.CharStorage": "I8",
	"torch.ByteStorage": "U8",
	"torch.BoolStorage": "BOOL",
});

const callable = ["collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"];

/** Whether a pickle may name the global "module.name". */
export function isAllowedGlobal(name: string): boolean {
	return callable.includes(name) || Object.hasOwn(storageTypes, name);
}

/** What a persistent id, ("storage", type, key, location, elements), stands for. */
export function readPersistentId(id: PickleValue, file: string): TorchStorage {
	const [kind, type, key, , elementCount] = Array.isArray(id) ? id : [];
	const dtype = type instanceof PickleCall ? storageTypes[type.name] : undefined;
	if (kind !== "storage" || dtype === undefined || typeof key !== "string" || !/^\d{1,12}$/.test(key) || !isCount(elementCount)) {
		throw damaged(file, "the pickle describes a storage in a way that is not known");
	}
	return new TorchStorage(key, dtype, checkedElementCount([elementCount], file, `storage ${key}`));
}

/** What calling one of the allowed globals gives; nothing is executed. */
export function callGlobal(call: PickleValue, args: PickleValue, file: string): PickleValue {
	if (!(call instanceof PickleCall) || !Array.isArray(args)) throw damaged(file, "the pickle calls what cannot be called");
	switch (call.name) {
		case "collections.OrderedDict":
			if (args.length > 0) throw damaged(file, "the pickle makes an OrderedDict in an old way", resave);
			return new Map();
		case "torch._utils._rebuild_tensor_v2":
			return rebuildTensor(args, file);
		case "torch._utils._rebuild_parameter":
			if (!(args[0] instanceof TorchTensor)) throw damaged(file, "the pickle makes a parameter of what is not a tensor");
			return args[0];
		default:
			throw damaged(file, `the pickle calls ${quoted(call.name)}`);
	}
}

const resave = "Load and save the state dict with a current PyTorch: torch.save(model.state_dict(), path).";

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata=None)`. */
function rebuildTensor(args: readonly PickleValue[], file: string): TorchTensor {
	const [storage, offset, shape, strides, , , metadata = null] = args;
	if (!(storage instanceof TorchStorage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length) {
		throw damaged(file, "the pickle describes a tensor in a way that is not known");
	}
	if (metadata !== null && !(metadata instanceof Map && metadata.size === 0)) {
		throw damaged(
			file,
			"the pickle has a conjugate or negated view, which is not read",
			"Save it with .resolve_conj().resolve_neg().clone().",
		);
	}
	const what = `the tensor on storage ${storage.key}`;
	const count = checkedElementCount(shape, file, what);
	const last = shape.reduce((sum, extent, axis) => sum + (extent - 1) * strides[axis], offset);
	if (count > 0 && !(last < storage.elementCount)) {
		throw damaged(file, `${what} reaches element ${last} of ${storage.elementCount}`);
	}
	if (count > storage.elementCount) {
		throw damaged(file, `${what} is an expanded view ([${shape}], strides [${strides}]), which is not read`, "Save it with .contiguous().");
	}
	return new TorchTensor(storage, offset, shape, strides);
}

function isCount(value: PickleValue | undefined): value is number {
	return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: PickleValue | undefined): value is number[] {
	return Array.isArray(value) && value.every(isCount);
}

/** Bytes of the storage. */
export function storageBytes(storage: TorchStorage): number {
	return storage.elementCount * storedElementBytes(storage.dtype);
}
