// engine/error.ts
var SyncHumanError = class extends Error {
  code;
  hint;
  constructor(code, message, hint, options) {
    super(message, options);
    this.name = "SyncHumanError";
    this.code = code;
    this.hint = hint;
  }
};
var exitStatus = Object.freeze({
  input: 2,
  device: 3,
  memory: 3,
  checkpoint: 4,
  disk: 5,
  aborted: 130
});

// engine/gpu/device.ts
var kept = [];
async function openDevice(gpu2, options = {}) {
  const adapter = await gpu2.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) {
    throw new SyncHumanError(
      "device",
      "No WebGPU adapter was found.",
      "NVIDIA: install the driver's Vulkan part and libvulkan1 (in containers NVIDIA_DRIVER_CAPABILITIES=all). AMD and Intel: mesa-vulkan-drivers. Without a GPU, for tests only: Mesa >= 24 (Debian 12: from bookworm-backports). Check with `vulkaninfo --summary`."
    );
  }
  const software = adapter.info.isFallbackAdapter === true || /llvmpipe|swiftshader|software/i.test(`${adapter.info.device} ${adapter.info.description} ${adapter.info.architecture}`);
  if (software && options.allowSoftware !== true) {
    throw new SyncHumanError(
      "device",
      `The only adapter is a software one (${adapter.info.device || adapter.info.description}), which is thousands of times slower than a GPU.`,
      "Install your GPU's Vulkan driver, or pass --adapter software to use the CPU on purpose."
    );
  }
  const wanted2 = [
    "subgroups",
    "timestamp-query",
    ...options.disableF16 ? [] : ["shader-f16"],
    ...options.disableSubgroupMatrix ? [] : ["chromium-experimental-subgroup-matrix"]
  ];
  const features = wanted2.filter((feature) => adapter.features.has(feature));
  const requiredLimits = {};
  for (const limit of [
    "maxBufferSize",
    "maxStorageBufferBindingSize",
    "maxComputeWorkgroupStorageSize",
    "maxComputeInvocationsPerWorkgroup",
    "maxComputeWorkgroupSizeX",
    "maxStorageBuffersPerShaderStage"
  ]) {
    requiredLimits[limit] = adapter.limits[limit];
  }
  const gpuDevice = await adapter.requestDevice({ requiredFeatures: features, requiredLimits });
  kept.push(gpu2, adapter, gpuDevice);
  return wrap(gpuDevice, reportOf(adapter, gpuDevice, software, options));
}
function reportOf(adapter, device, software, options) {
  const info = adapter.info;
  const limits = device.limits;
  return {
    adapter: info.device || info.description || "unknown adapter",
    vendor: info.vendor,
    architecture: info.architecture,
    driver: info.description,
    software,
    f16: device.features.has("shader-f16"),
    subgroups: device.features.has("subgroups"),
    subgroupSizes: [info.subgroupMinSize ?? 0, info.subgroupMaxSize ?? 0],
    subgroupMatrixShapes: device.features.has("chromium-experimental-subgroup-matrix") ? (info.subgroupMatrixConfigs ?? []).map((c) => `${c.componentType}->${c.resultComponentType} ${c.M}x${c.N}x${c.K}`) : [],
    timestamps: device.features.has("timestamp-query"),
    limits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: Math.min(limits.maxStorageBufferBindingSize, options.maxBindingBytes ?? Number.POSITIVE_INFINITY),
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage
    }
  };
}
function wrap(gpu2, report) {
  const memory = { currentBytes: 0, peakBytes: 0 };
  const sizes = /* @__PURE__ */ new Map();
  let lost;
  const waiting = /* @__PURE__ */ new Set();
  gpu2.lost.then((info) => {
    lost = new SyncHumanError(
      "device",
      `The GPU device was lost (${info.reason}): ${info.message}`,
      "Close other GPU programs or use --max-memory, then run again; finished stages are kept."
    );
    for (const reject of waiting) reject(lost);
  });
  const stopIfLost = () => {
    if (lost !== void 0) throw lost;
  };
  const untilLost = async (work) => {
    const result = await new Promise((resolve, reject) => {
      waiting.add(reject);
      work.then(resolve, reject).finally(() => waiting.delete(reject));
    });
    stopIfLost();
    return result;
  };
  return {
    gpu: gpu2,
    report,
    memory,
    createBuffer(label, byteLength, usage) {
      stopIfLost();
      if (byteLength > report.limits.maxBufferSize) {
        throw new SyncHumanError(
          "memory",
          `${label}: a buffer of ${byteLength} bytes is more than this adapter allows (${report.limits.maxBufferSize}).`
        );
      }
      const buffer = gpu2.createBuffer({ label, size: byteLength, usage });
      sizes.set(buffer, byteLength);
      memory.currentBytes += byteLength;
      memory.peakBytes = Math.max(memory.peakBytes, memory.currentBytes);
      return buffer;
    },
    destroyBuffer(buffer) {
      memory.currentBytes -= sizes.get(buffer) ?? 0;
      sizes.delete(buffer);
      buffer.destroy();
    },
    async guarded(what, work) {
      stopIfLost();
      gpu2.pushErrorScope("validation");
      gpu2.pushErrorScope("out-of-memory");
      gpu2.pushErrorScope("internal");
      let running;
      let scopes;
      try {
        running = work();
      } finally {
        scopes = Promise.all([gpu2.popErrorScope(), gpu2.popErrorScope(), gpu2.popErrorScope()]);
        scopes.catch(() => void 0);
      }
      const [internal, memoryError, validation] = await untilLost(scopes);
      if (memoryError) {
        throw new SyncHumanError(
          "memory",
          `${what}: the GPU is out of memory: ${memoryError.message}`,
          "Close other GPU programs, or set a lower --max-memory."
        );
      }
      const error = validation ?? internal;
      if (error) throw new SyncHumanError("device", `${what}: ${error.message}`);
      return untilLost(Promise.resolve(running));
    },
    async idle() {
      await untilLost(gpu2.queue.onSubmittedWorkDone());
    },
    close() {
      gpu2.destroy();
    }
  };
}

// engine/gpu/shaderInterface.ts
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";
function reflectShader(name, code) {
  const firstFunction = code.search(/^\s*(@compute|@workgroup_size|fn )/m);
  const declarations = firstFunction < 0 ? code : code.slice(0, firstFunction);
  const reflected = new WgslReflect(declarations);
  const storage = reflected.storage.map(
    (resource) => {
      const element = scalarOf(resource.type.format ?? resource.type);
      if (element === void 0 || !["f32", "f16", "i32", "u32"].includes(element.type)) {
        throw new Error(`shader ${name}: binding ${resource.name} must be an array of f32, f16, i32 or u32 (or their vectors, or atomics)`);
      }
      return {
        name: resource.name,
        group: resource.group,
        binding: resource.binding,
        access: resource.access === "read_write" ? "read_write" : "read",
        dtype: element.type,
        lanes: element.lanes
      };
    }
  );
  const uniform = reflected.uniforms[0];
  const params = uniform && {
    group: uniform.group,
    binding: uniform.binding,
    byteLength: Math.ceil(uniform.type.size / 16) * 16,
    fields: (uniform.type.members ?? []).map((member) => {
      const scalar = scalarOf(member.type);
      if (scalar === void 0 || scalar.type === "f16")
        throw new Error(`shader ${name}: Params.${member.name} must be u32, i32, f32 or a vector of them`);
      return { name: member.name, byteOffset: member.offset, type: scalar.type, count: scalar.lanes };
    })
  };
  return { storage, params, overrides: reflected.overrides.map((o) => o.name) };
}
function scalarOf(type) {
  const vector = /^vec([234])([fiuh])?$/.exec(type.name);
  if (vector) {
    const short = { f: "f32", i: "i32", u: "u32", h: "f16" }[vector[2] ?? ""];
    return { type: short ?? type.format?.name ?? "", lanes: Number(vector[1]) };
  }
  if (type.name === "atomic") return { type: type.format?.name ?? "", lanes: 1 };
  return { type: type.name, lanes: 1 };
}

// engine/gpu/shaderSource.ts
import { readFileSync } from "node:fs";
var embedded = /* @__PURE__ */ new Map();
function registerShaders(texts) {
  for (const [name, text] of Object.entries(texts)) embedded.set(name, text);
}
function loadShader(name) {
  return textOf(name).replace(/^\/\/ include "([\w/]+)"$/gm, (_, included) => loadShader(included));
}
function textOf(name) {
  let text = embedded.get(name);
  if (text === void 0) {
    try {
      text = readFileSync(new URL(`../../shaders/${name}.wgsl`, import.meta.url), "utf8");
    } catch (cause) {
      throw new SyncHumanError("device", `shader ${name}: not found`, "The installation is incomplete: install the package again.", {
        cause
      });
    }
    embedded.set(name, text);
  }
  return text;
}

// engine/gpu/kernel.ts
function variantKey(variant) {
  const sorted = (record) => Object.entries(record ?? {}).sort(([a], [b]) => a < b ? -1 : 1).map(([name, value]) => `${name}=${value}`).join(",");
  return `${variant.shader}<${sorted(variant.aliases)}>(${sorted(variant.overrides)})`;
}
function variantCode(variant, features) {
  let code = loadShader(variant.shader);
  for (const [name, type] of Object.entries(variant.aliases ?? {})) {
    const line = new RegExp(`^alias ${name}\\s*=[^;]*;`, "m");
    if (!line.test(code)) throw new Error(`shader ${variant.shader}: has no line "alias ${name} = ...;"`);
    code = code.replace(line, `alias ${name} = ${type};`);
  }
  const enables = [];
  if (features.f16) enables.push("enable f16;");
  if (features.subgroups && /\bsubgroup[A-Z_]/.test(code)) enables.push("enable subgroups;");
  if (features.subgroupMatrix && /\bsubgroup_matrix_/.test(code)) {
    enables.push("enable chromium_experimental_subgroup_matrix;", "diagnostic(off, chromium.subgroup_matrix_uniformity);");
  }
  return `${enables.join("\n")}
${code}`;
}
var interfaces = /* @__PURE__ */ new Map();
function variantInterface(variant) {
  const key = `${variant.shader}<${JSON.stringify(variant.aliases ?? {})}>`;
  let found = interfaces.get(key);
  if (found === void 0) {
    found = reflectShader(variant.shader, variantCode(variant, { f16: false, subgroups: false, subgroupMatrix: false }));
    interfaces.set(key, found);
  }
  return found;
}
var pipelines = /* @__PURE__ */ new WeakMap();
function compileKernel(device, variant) {
  let ofDevice = pipelines.get(device);
  if (ofDevice === void 0) {
    ofDevice = /* @__PURE__ */ new Map();
    pipelines.set(device, ofDevice);
  }
  const key = variantKey(variant);
  let kernel = ofDevice.get(key);
  if (kernel === void 0) {
    kernel = compile(device, variant);
    ofDevice.set(key, kernel);
  }
  return kernel;
}
async function compile(device, variant) {
  const { report } = device;
  const code = variantCode(variant, {
    f16: report.f16,
    subgroups: report.subgroups,
    subgroupMatrix: report.subgroupMatrixShapes.length > 0
  });
  const shaderInterface = variantInterface(variant);
  const name = variantKey(variant);
  const entries = shaderInterface.storage.map((binding) => ({
    binding: binding.binding,
    visibility: 4,
    buffer: { type: binding.access === "read" ? "read-only-storage" : "storage" }
  }));
  if (shaderInterface.params) entries.push({ binding: shaderInterface.params.binding, visibility: 4, buffer: { type: "uniform" } });
  const constants = {};
  for (const [key, value] of Object.entries(variant.overrides ?? {})) constants[key] = Number(value);
  const { gpu: gpu2 } = device;
  gpu2.pushErrorScope("validation");
  const module = gpu2.createShaderModule({ label: name, code });
  const scope = gpu2.popErrorScope();
  const messages = (await module.getCompilationInfo()).messages.filter((message) => message.type === "error");
  if (messages.length > 0 || await scope !== null) {
    const lines = code.split("\n");
    const quoted = messages.slice(0, 3).map((m) => `  ${m.lineNum}:${m.linePos} ${m.message}
    ${lines[m.lineNum - 1] ?? ""}`);
    throw new SyncHumanError("device", `kernel ${name}: the shader does not compile
${quoted.join("\n") || (await scope)?.message}`);
  }
  try {
    const layout = gpu2.createBindGroupLayout({ label: name, entries });
    const pipeline = await gpu2.createComputePipelineAsync({
      label: name,
      layout: gpu2.createPipelineLayout({ label: name, bindGroupLayouts: [layout] }),
      compute: { module, constants }
    });
    return { variant, interface: shaderInterface, pipeline, layout };
  } catch (cause) {
    throw new SyncHumanError("device", `kernel ${name}: ${cause.message}`, void 0, { cause });
  }
}

// engine/gpu/tensor.ts
function elementBytes(dtype) {
  return dtype === "f16" ? 2 : 4;
}
function elementCount(shape) {
  let count = 1;
  for (const extent of shape) {
    if (!Number.isInteger(extent) || extent < 0) throw new RangeError(`tensor: shape must be whole numbers >= 0, got [${shape}]`);
    count *= extent;
  }
  if (count > 4294967295) throw new RangeError(`tensor: [${shape}] has ${count} elements, more than a u32 can index`);
  return count;
}
function tensorBytes(tensor) {
  return elementCount(tensor.shape) * elementBytes(tensor.dtype);
}
function createTensor(label, dtype, shape, kind) {
  const byteLength = Math.max(4, Math.ceil(elementCount(shape) * elementBytes(dtype) / 4) * 4);
  return { dtype, shape: [...shape], storage: { label, byteLength, kind, buffer: void 0 }, byteOffset: 0 };
}
function reshape(tensor, shape) {
  if (elementCount(shape) !== elementCount(tensor.shape)) {
    throw new RangeError(`reshape: [${tensor.shape}] to [${shape}] changes the number of elements`);
  }
  return { ...tensor, shape: [...shape] };
}
function rowsOf(tensor, start, rows) {
  const [outer = 1, ...rest] = tensor.shape;
  if (start < 0 || rows < 0 || start + rows > outer) {
    throw new RangeError(`rowsOf: rows ${start}..${start + rows} are outside [${tensor.shape}]`);
  }
  const rowBytes2 = elementCount(rest) * elementBytes(tensor.dtype);
  return { ...tensor, shape: [rows, ...rest], byteOffset: tensor.byteOffset + start * rowBytes2 };
}
function describe(tensor) {
  return `${tensor.dtype}[${tensor.shape.join(",")}]`;
}

// engine/gpu/float16.ts
var littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
var float32BitsOfFloat16;
function float32Table() {
  if (float32BitsOfFloat16 !== void 0) return float32BitsOfFloat16;
  const table = new Uint32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = (bits & 32768) << 16;
    const exponent = bits >>> 10 & 31;
    const fraction = bits & 1023;
    if (exponent === 31) {
      table[bits] = sign | 2139095040 | fraction << 13;
    } else if (exponent > 0) {
      table[bits] = sign | exponent + 112 << 23 | fraction << 13;
    } else if (fraction > 0) {
      const leading = 31 - Math.clz32(fraction);
      table[bits] = sign | leading + 103 << 23 | fraction << 23 - leading & 8388607;
    } else {
      table[bits] = sign;
    }
  }
  float32BitsOfFloat16 = table;
  return table;
}
function float16ToFloat32(bits) {
  const table = float32Table();
  const values = new Float32Array(bits.length);
  const out = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]];
  return values;
}
var scratchFloat = new Float32Array(1);
var scratchBits = new Uint32Array(scratchFloat.buffer);
function float32ToFloat16(values) {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < source.length; i++) {
    const word = source[i];
    const magnitude = word & 2147483647;
    let half;
    if (magnitude < 947912704) {
      scratchBits[0] = magnitude;
      scratchFloat[0] += 0.5;
      half = scratchBits[0] - 1056964608;
    } else if (magnitude < 1199570944) {
      half = magnitude - 939524096 + 4095 + (magnitude >>> 13 & 1) >>> 13;
    } else {
      half = magnitude > 2139095040 ? 32256 : 31744;
    }
    out[i] = half | word >>> 16 & 32768;
  }
  return out;
}
var exponentDouble = new Float64Array(1);
var exponentWords = new Uint32Array(exponentDouble.buffer);

// engine/gpu/transfer.ts
var storageUsage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
function allocate(device, storage) {
  storage.buffer ??= device.createBuffer(storage.label, storage.byteLength, storageUsage());
}
function residentTensor(device, label, dtype, shape, values) {
  const tensor = createTensor(label, dtype, shape, "resident");
  allocate(device, tensor.storage);
  if (values !== void 0) writeTensor(device, tensor, values);
  return tensor;
}
var writePieceBytes = 64 << 20;
function writeTensor(device, tensor, values) {
  if (values.length !== elementCount(tensor.shape))
    throw new RangeError(`${tensor.storage.label}: must be ${describe(tensor)}, got ${values.length} values`);
  const buffer = bufferOf(tensor);
  const stored = tensor.dtype === "f16" && values instanceof Float32Array ? float32ToFloat16(values) : tensor.dtype === "f32" && !(values instanceof Float32Array) ? Float32Array.from(values) : values;
  let bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  if (bytes.byteLength % 4 !== 0) {
    const padded = new Uint8Array(bytes.byteLength + 2);
    padded.set(bytes);
    bytes = padded;
  }
  const { queue } = device.gpu;
  for (let start = 0; start < bytes.byteLength; start += writePieceBytes) {
    queue.writeBuffer(buffer, tensor.byteOffset + start, bytes, start, Math.min(writePieceBytes, bytes.byteLength - start));
    if (bytes.byteLength > writePieceBytes) queue.submit([]);
  }
}
function bufferOf({ storage }) {
  if (storage.buffer === void 0) throw new Error(`${storage.label}: has no memory`);
  return storage.buffer;
}
async function readTensor(device, tensor) {
  const bytes = await readBytes(device, tensor);
  if (tensor.dtype === "f16") return float16ToFloat32(new Uint16Array(bytes, 0, elementCount(tensor.shape)));
  return new Float32Array(bytes, 0, elementCount(tensor.shape));
}
async function readUnsigned(device, tensor) {
  return new Uint32Array(await readBytes(device, tensor), 0, elementCount(tensor.shape));
}
var readPieceBytes = 16 << 20;
async function readBytes(device, tensor) {
  const buffer = bufferOf(tensor);
  const byteLength = Math.max(4, Math.ceil(tensorBytes(tensor) / 4) * 4);
  const result = new Uint8Array(byteLength);
  const pieceBytes = Math.min(byteLength, readPieceBytes);
  return device.guarded(`read ${tensor.storage.label}`, async () => {
    const staging = device.createBuffer(`read ${tensor.storage.label}`, pieceBytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
    try {
      for (let start = 0; start < byteLength; start += pieceBytes) {
        const length = Math.min(pieceBytes, byteLength - start);
        const encoder = device.gpu.createCommandEncoder();
        encoder.copyBufferToBuffer(buffer, tensor.byteOffset + start, staging, 0, length);
        device.gpu.queue.submit([encoder.finish()]);
        await staging.mapAsync(GPUMapMode.READ, 0, length);
        result.set(new Uint8Array(staging.getMappedRange(0, length)), start);
        staging.unmap();
      }
    } finally {
      device.destroyBuffer(staging);
    }
    return result.buffer;
  });
}

// engine/graph/plan.ts
var paramsStride = 256;
function planGraph(graph) {
  const lifetimes = /* @__PURE__ */ new Map();
  const resident = /* @__PURE__ */ new Set();
  graph.dispatches.forEach((dispatch, index) => {
    for (const { tensor } of dispatch.tensors) {
      if (tensor === void 0) continue;
      if (tensor.storage.kind === "resident") {
        resident.add(tensor.storage);
        continue;
      }
      const life = lifetimes.get(tensor.storage);
      if (life === void 0) lifetimes.set(tensor.storage, { first: index, last: index });
      else life.last = index;
    }
  });
  const shared = [...lifetimes].filter(([storage]) => !graph.pinned.has(storage));
  const order = shared.map((entry, index) => ({ storage: entry[0], ...entry[1], index }));
  order.sort((a, b) => b.storage.byteLength - a.storage.byteLength || a.index - b.index);
  const slots = [];
  const slotOf = /* @__PURE__ */ new Map();
  for (const { storage, first, last } of order) {
    let slot = slots.findIndex((candidate) => candidate.lives.every((life) => last < life.first || first > life.last));
    if (slot < 0) {
      slot = slots.length;
      slots.push({ byteLength: storage.byteLength, lives: [] });
    }
    slots[slot].lives.push({ first, last });
    slotOf.set(storage, slot);
  }
  const unused = new Set([...graph.constants.values()].map(({ tensor }) => tensor.storage));
  for (const storage of [...lifetimes.keys(), ...graph.outputs]) unused.delete(storage);
  const pinned = [...graph.pinned].filter((storage) => !unused.has(storage));
  const paramsBytes = Math.max(1, graph.dispatches.length) * paramsStride;
  const slotBytes = slots.map((slot) => slot.byteLength);
  const byteLength = [...slotBytes, ...pinned.map((storage) => storage.byteLength)].reduce((a, b) => a + b, paramsBytes + zeroBytes);
  return { slots: slotBytes, slotOf, pinned, resident: [...resident], paramsBytes, byteLength };
}
var zeroBytes = 16;

// engine/graph/timestamps.ts
var passesPerSet = 2048;
async function timedPasses(device, count, encode) {
  if (!device.report.timestamps) throw new SyncHumanError("device", "profile: this adapter has no timestamp queries");
  const { gpu: gpu2 } = device;
  const starts = Array.from({ length: Math.ceil(count / passesPerSet) }, (_, set) => set * passesPerSet);
  const sets = starts.map((start) => {
    const passes = Math.min(passesPerSet, count - start);
    const querySet = gpu2.createQuerySet({ type: "timestamp", count: passes * 2 });
    const resolved = device.createBuffer("timestamps", passes * 16, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
    const readable = device.createBuffer("timestamps read", passes * 16, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
    const encoder = gpu2.createCommandEncoder();
    for (let index = 0; index < passes; index++) {
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: index * 2, endOfPassWriteIndex: index * 2 + 1 }
      });
      encode(pass, start + index);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, passes * 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, passes * 16);
    gpu2.queue.submit([encoder.finish()]);
    return { querySet, resolved, readable, passes };
  });
  const times = [];
  try {
    for (const { readable, passes } of sets) {
      await readable.mapAsync(GPUMapMode.READ);
      const stamps = new BigUint64Array(readable.getMappedRange().slice(0));
      for (let index = 0; index < passes; index++) times.push(Number(stamps[index * 2 + 1] - stamps[index * 2]) / 1e6);
    }
  } finally {
    for (const { querySet, resolved, readable } of sets) {
      device.destroyBuffer(resolved);
      device.destroyBuffer(readable);
      querySet.destroy();
    }
  }
  return times;
}

// engine/graph/executable.ts
async function compileGraph(graph, options = {}) {
  const { device } = graph;
  const plan = planGraph(graph);
  if (plan.byteLength > (options.maxBytes ?? Number.POSITIVE_INFINITY)) {
    throw new SyncHumanError(
      "memory",
      `${graph.label}: needs ${plan.byteLength} bytes, more than the ${options.maxBytes} left`,
      "Raise --max-memory or use a card with more memory."
    );
  }
  for (const storage of plan.resident) {
    if (storage.buffer === void 0) throw new Error(`${graph.label}: ${storage.label} is not loaded`);
  }
  const kernels = await Promise.all(graph.dispatches.map((dispatch) => compileKernel(device, dispatch.variant)));
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const owned = [];
  const create = (label, byteLength, use) => {
    const buffer = device.createBuffer(label, byteLength, use);
    owned.push(buffer);
    return buffer;
  };
  return device.guarded(graph.label, () => {
    const slots = plan.slots.map((byteLength, index) => create(`${graph.label} slot ${index}`, byteLength, usage));
    for (const [storage, slot] of plan.slotOf) storage.buffer = slots[slot];
    for (const storage of plan.pinned) storage.buffer = create(storage.label, storage.byteLength, usage);
    for (const { tensor, values } of graph.constants.values()) if (tensor.storage.buffer) writeTensor(device, tensor, values());
    const zero = create("zero", zeroBytes, usage);
    const params = create(`${graph.label} params`, plan.paramsBytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    const packed = packParams(graph.dispatches, kernels);
    device.gpu.queue.writeBuffer(params, 0, packed.bytes);
    const bound = graph.dispatches.map((dispatch, index) => ({
      dispatch,
      kernel: kernels[index],
      bindGroup: bind(device, dispatch, kernels[index], index, params, zero)
    }));
    return executable(graph, plan, bound, owned, params, packed);
  });
}
function bind(device, dispatch, kernel, index, params, zero) {
  const entries = dispatch.tensors.map(({ tensor }, position) => ({
    binding: kernel.interface.storage[position].binding,
    resource: tensor === void 0 ? { buffer: zero } : { buffer: bufferOf2(tensor.storage), offset: tensor.byteOffset, size: Math.ceil(Math.max(4, tensorBytes(tensor)) / 4) * 4 }
  }));
  if (kernel.interface.params) {
    entries.push({
      binding: kernel.interface.params.binding,
      resource: { buffer: params, offset: index * paramsStride, size: kernel.interface.params.byteLength }
    });
  }
  return device.gpu.createBindGroup({ label: dispatch.label, layout: kernel.layout, entries });
}
function bufferOf2(storage) {
  if (storage.buffer === void 0) throw new Error(`${storage.label}: has no memory`);
  return storage.buffer;
}
function packParams(dispatches, kernels) {
  const bytes = new Uint8Array(Math.max(1, dispatches.length) * paramsStride);
  const view = new DataView(bytes.buffer);
  const uses = [];
  dispatches.forEach((dispatch, index) => {
    const declared = kernels[index].interface.params;
    if (declared === void 0) return;
    if (declared.byteLength > paramsStride) throw new Error(`${dispatch.label}: Params are larger than ${paramsStride} bytes`);
    for (const field of declared.fields) {
      const value = dispatch.params[field.name];
      const byteOffset = index * paramsStride + field.byteOffset;
      if (typeof value === "object" && "name" in value) {
        uses.push({ scalar: value, byteOffset, type: field.type });
        setScalar(view, byteOffset, field.type, value.value);
      } else {
        const values = typeof value === "object" ? value : [Number(value)];
        if (values.length !== field.count)
          throw new Error(`${dispatch.label}: Params.${field.name} must be ${field.count} numbers, got ${values.length}`);
        values.forEach((v, i) => {
          setScalar(view, byteOffset + i * 4, field.type, v);
        });
      }
    }
  });
  return { bytes, uses };
}
function setScalar(view, byteOffset, type, value) {
  if (type === "f32") view.setFloat32(byteOffset, value, true);
  else if (type === "i32") view.setInt32(byteOffset, value, true);
  else view.setUint32(byteOffset, value, true);
}
function executable(graph, plan, bound, owned, params, packed) {
  const { device } = graph;
  const { gpu: gpu2 } = device;
  const setScalars = (scalars = {}) => {
    const view = new DataView(packed.bytes.buffer);
    for (const [name, value] of Object.entries(scalars)) {
      const scalar = graph.scalars.get(name);
      if (scalar === void 0) throw new Error(`${graph.label}: has no scalar "${name}"`);
      scalar.value = value;
    }
    if (Object.keys(scalars).length === 0) return;
    for (const use of packed.uses) setScalar(view, use.byteOffset, use.type, use.scalar.value);
    gpu2.queue.writeBuffer(params, 0, packed.bytes);
  };
  const encode = (pass, { dispatch, kernel, bindGroup }) => {
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...dispatch.workgroups);
  };
  return {
    plan,
    dispatchCount: bound.length,
    run: (scalars) => device.guarded(graph.label, () => {
      setScalars(scalars);
      for (let start = 0, count = 16; start < bound.length; start += count, count = Math.min(2 * count, 256)) {
        const encoder = gpu2.createCommandEncoder({ label: graph.label });
        const pass = encoder.beginComputePass({ label: graph.label });
        for (const one of bound.slice(start, start + count)) encode(pass, one);
        pass.end();
        gpu2.queue.submit([encoder.finish()]);
      }
    }),
    write: (tensor, values) => {
      writeTensor(device, tensor, values);
    },
    read: (tensor) => readTensor(device, tensor),
    readIntegers: (tensor) => readUnsigned(device, tensor),
    profile: (scalars) => device.guarded(`${graph.label} profile`, async () => {
      setScalars(scalars);
      const times = await timedPasses(device, bound.length, (pass, index) => encode(pass, bound[index]));
      return bound.map(({ dispatch }, index) => ({
        label: dispatch.label,
        shader: dispatch.variant.shader,
        elapsedMs: times[index]
      }));
    }),
    timed: (scalars) => device.guarded(`${graph.label} timed`, async () => {
      setScalars(scalars);
      const [elapsedMs] = await timedPasses(device, 1, (pass) => {
        for (const one of bound) encode(pass, one);
      });
      return elapsedMs;
    }),
    async runInspected(inspect) {
      for (const one of bound) {
        await device.guarded(one.dispatch.label, () => {
          const encoder = gpu2.createCommandEncoder({ label: one.dispatch.label });
          const pass = encoder.beginComputePass({ label: one.dispatch.label });
          encode(pass, one);
          pass.end();
          gpu2.queue.submit([encoder.finish()]);
        });
        for (const { tensor, written } of one.dispatch.tensors)
          if (written && tensor !== void 0) await inspect(one.dispatch.label, tensor);
      }
    },
    destroy() {
      for (const buffer of owned) device.destroyBuffer(buffer);
      owned.length = 0;
      for (const storage of [...plan.slotOf.keys(), ...plan.pinned]) storage.buffer = void 0;
    }
  };
}

// engine/graph/graph.ts
var largerBindings = "Use a GPU with larger storage bindings (synchuman info: largest binding); --dtype f16 needs half as much.";
var Graph = class {
  device;
  label;
  dispatches = [];
  /** Planned storages that keep their own buffer for the graph's life: inputs, outputs, state. */
  pinned = /* @__PURE__ */ new Set();
  /** Those of them that the host reads. */
  outputs = /* @__PURE__ */ new Set();
  scalars = /* @__PURE__ */ new Map();
  /** Host values that compiling uploads once, by the tensor that holds them. */
  constants = /* @__PURE__ */ new Map();
  /** Named intermediate results, kept when `tapped` says so (parity, debugging). */
  taps = /* @__PURE__ */ new Map();
  #tapped;
  #scope = [];
  #written = /* @__PURE__ */ new Set();
  #lastConstant;
  constructor(device, label, options = {}) {
    this.device = device;
    this.label = label;
    this.#tapped = options.tapped ?? (() => false);
  }
  /** Everything recorded inside `build` is labelled `name/...` (nested scopes join with "."). */
  scope(name, build) {
    this.#scope.push(String(name));
    try {
      return build();
    } finally {
      this.#scope.pop();
    }
  }
  /** The current scope, such as "down_blocks.0.resnets.1". */
  get path() {
    return this.#scope.join(".");
  }
  /** An intermediate: written by some dispatch before it is read; its memory is shared by lifetime. */
  tensor(label, dtype, shape) {
    if (dtype === "f16" && !this.device.report.f16) {
      throw new SyncHumanError("device", `${this.path}${label}: this adapter has no shader-f16`, "Use --dtype f32.");
    }
    return createTensor(this.path === "" ? label : `${this.path}.${label}`, dtype, shape, "planned");
  }
  /** A tensor the host writes (`Executable.write`) before runs; keeps its content between runs. */
  input(label, dtype, shape) {
    const tensor = this.tensor(label, dtype, shape);
    this.pinned.add(tensor.storage);
    this.#written.add(tensor.storage);
    return tensor;
  }
  /** A tensor of fixed host values, made and uploaded once when the graph is compiled. The same key gives the same tensor. */
  constant(key, dtype, shape, values) {
    const found = this.constants.get(key);
    if (found !== void 0) return found.tensor;
    const tensor = createTensor(key, dtype, shape, "planned");
    this.pinned.add(tensor.storage);
    this.#written.add(tensor.storage);
    this.constants.set(key, { tensor, values });
    return tensor;
  }
  /** Key and values of the constant that `tensor` shows whole; undefined for any other tensor. */
  constantOf(tensor) {
    for (const [key, constant] of this.constants) {
      if (constant.tensor.storage !== tensor.storage || tensorBytes(constant.tensor) !== tensorBytes(tensor)) continue;
      if (this.#lastConstant?.key !== key) this.#lastConstant = { key, values: constant.values() };
      return this.#lastConstant;
    }
    return void 0;
  }
  /** Keeps a tensor readable after the run. Returns it. */
  output(tensor) {
    if (tensor.storage.kind === "planned") this.pinned.add(tensor.storage);
    this.outputs.add(tensor.storage);
    return tensor;
  }
  /** Names an intermediate result; it is kept only when the graph was made to tap that name. Returns it. */
  tap(name, tensor) {
    const full = this.path === "" ? name : name === "" ? this.path : `${this.path}.${name}`;
    if (this.#tapped(full)) this.taps.set(full, this.output(tensor));
    return tensor;
  }
  /** Whether `tap(name, ...)` would keep its tensor; results that kernels fuse away are recorded apart only then. */
  isTapped(name) {
    return this.#tapped(this.path === "" ? name : name === "" ? this.path : `${this.path}.${name}`);
  }
  /** A parameter that `Executable.run` may change. */
  scalar(name, value) {
    const scalar = { name, value };
    this.scalars.set(name, scalar);
    return scalar;
  }
  /**
   * Records one kernel call. Checks names and types of tensors and Params against the shader's declarations. A read-only f16 tensor
   * may be declared as vectors of u32 (16-byte loads of eight halves).
   */
  dispatch(request) {
    const { shader, aliases, overrides, tensors, params = {} } = request;
    const variant = { shader, ...aliases && { aliases }, ...overrides && { overrides } };
    const declared = variantInterface(variant);
    const label = [this.path, request.label ?? shader].filter((part) => part !== "").join("/");
    for (const name of Object.keys(tensors)) {
      if (!declared.storage.some((binding) => binding.name === name))
        throw new Error(`${label}: shader ${shader} has no binding "${name}"`);
    }
    const bound = declared.storage.map((binding) => {
      const tensor = tensors[binding.name];
      const written = binding.access === "read_write";
      if (tensor === void 0) {
        if (written) throw new Error(`${label}: output "${binding.name}" is missing`);
        return { name: binding.name, tensor, written };
      }
      this.#check(
        label,
        binding.name,
        tensor,
        binding.dtype === "u32" && binding.lanes > 1 && tensor.dtype === "f16" ? "f16" : binding.dtype
      );
      return { name: binding.name, tensor, written };
    });
    const storages = bound.flatMap((b) => b.tensor ? [{ storage: b.tensor.storage, written: b.written, name: b.name }] : []);
    for (const { storage, written, name } of storages) {
      if (written && storages.filter((other) => other.storage === storage).length > 1) {
        throw new Error(`${label}: "${name}" is written and bound a second time; use another tensor (no in-place through two bindings)`);
      }
      if (!written && storage.kind === "planned" && !this.#written.has(storage))
        throw new Error(`${label}: "${name}" (${storage.label}) is read before it is written`);
    }
    for (const { storage, written } of storages) if (written) this.#written.add(storage);
    const fields = declared.params?.fields ?? [];
    for (const field of fields) if (!(field.name in params)) throw new Error(`${label}: Params.${field.name} is missing`);
    for (const name of Object.keys(params))
      if (!fields.some((f) => f.name === name)) throw new Error(`${label}: shader ${shader} has no Params.${name}`);
    const [x, y = 1, z = 1] = request.workgroups;
    if (!(x <= 65535 && y <= 65535 && z <= 65535))
      throw new Error(`${label}: ${x} x ${y} x ${z} workgroups; fold counts beyond 65,535 with foldedWorkgroups`);
    if (x * y * z === 0) return;
    this.dispatches.push({ label, variant, tensors: bound, params, workgroups: [x, y, z] });
  }
  #check(label, name, tensor, dtype) {
    if (tensor.dtype !== dtype) throw new Error(`${label}: ${name} must be ${dtype}, got ${describe(tensor)}`);
    if (tensor.byteOffset % 256 !== 0) throw new Error(`${label}: ${name} starts at byte ${tensor.byteOffset}, which is not 256-aligned`);
    const limit = this.device.report.limits.maxStorageBufferBindingSize;
    if (tensorBytes(tensor) > limit) {
      throw new SyncHumanError(
        "memory",
        `${label}: ${name} ${describe(tensor)} has ${tensorBytes(tensor)} bytes, more than one binding can show (${limit})`,
        largerBindings
      );
    }
  }
};
function foldedWorkgroups(count) {
  if (count <= 65535) return [count, 1];
  const rows = Math.ceil(count / 65535);
  return [Math.ceil(count / rows), rows];
}

// engine/graph/windows.ts
function forEachWindow(graph, rows, tensors, record, granularity = 1) {
  const step = windowRows(graph, rows, tensors, granularity);
  if (step === 0) throw tooLarge(graph, tensors, alignedRows(tensors, granularity));
  for (let start = 0; start < rows; start += step) record(start, Math.min(step, rows - start));
}
function windowRows(graph, rows, tensors, granularity = 1) {
  const limit = bindingLimit(graph);
  let step = rows;
  for (const tensor of tensors) {
    const bytes = rowBytes(tensor);
    if (bytes * rows > limit) step = Math.min(step, Math.floor(limit / bytes));
  }
  const aligned = alignedRows(tensors, granularity);
  return step < rows ? Math.floor(step / aligned) * aligned : rows;
}
function allFit(graph, tensors) {
  return tensors.every((tensor) => tensor === void 0 || tensorBytes(tensor) <= bindingLimit(graph));
}
function alignedRows(tensors, granularity = 1) {
  return tensors.reduce((rows, tensor) => leastCommonMultiple(rows, 256 / greatestCommonDivisor(256, rowBytes(tensor))), granularity);
}
function showRows(tensors, start, end) {
  const aligned = alignedRows(tensors);
  const first = Math.floor(start / aligned) * aligned;
  return { tensors: tensors.map((tensor) => rowsOf(tensor, first, end - first)), first };
}
function showGroups(graph, { tensor, rows, column = 0 }, start, count) {
  if (allFit(graph, [tensor])) return { tensor, column };
  const stride = tensor.shape.at(-1) ?? 0;
  const matrix = { ...tensor, shape: [elementCount(tensor.shape) / stride, stride] };
  const { tensors, first } = showRows([matrix], Math.floor(start / rows), Math.floor((start + count - 1) / rows) + 1);
  return { tensor: tensors[0], column: column - first * stride };
}
function tooLarge(graph, tensors, rows) {
  const [largest] = [...tensors].sort((a, b) => rowBytes(b) - rowBytes(a));
  const limit = bindingLimit(graph);
  return new SyncHumanError(
    "memory",
    `${largest.storage.label}: ${rows} rows of ${rowBytes(largest)} bytes are more than one binding can show (${limit} bytes)`,
    largerBindings
  );
}
function bindingLimit(graph) {
  return graph.device.report.limits.maxStorageBufferBindingSize;
}
function rowBytes(tensor) {
  return elementCount(tensor.shape.slice(1)) * elementBytes(tensor.dtype);
}
function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
function leastCommonMultiple(a, b) {
  return a * b / greatestCommonDivisor(a, b);
}

// engine/kernels/dense/vectorLanes.ts
function vectorLanes(...counts) {
  return counts.every((count) => count % 4 === 0) ? 4 : 1;
}
function vectorType(dtype, lanes) {
  return lanes === 4 ? `vec4<${dtype}>` : dtype;
}

// engine/kernels/dense/gatherRows.ts
function gatherRows(graph, request) {
  const { x, indices, into, keep = false } = request;
  const label = request.label ?? "gatherRows";
  const columns = x.shape.at(-1) ?? 1;
  const rowsIn = elementCount(x.shape) / columns;
  const rows = elementCount(indices.shape);
  const y = into?.tensor ?? graph.tensor(label, request.outputDtype ?? x.dtype, [rows, columns]);
  const outputStride = y.shape.at(-1) ?? 1;
  const outputColumn = into?.column ?? 0;
  if (elementCount(y.shape) !== rows * outputStride || outputColumn + columns > outputStride) {
    throw new Error(`${graph.path}/${label}: ${rows} rows of ${describe(x)} do not fit column ${outputColumn} of ${describe(y)}`);
  }
  const flatX = reshape(x, [rowsIn, columns]);
  const flatIndices = reshape(indices, [rows, 1]);
  const flatY = reshape(y, [rows, outputStride]);
  const workgroupSize = graph.device.report.software ? 64 : 256;
  const lanes = vectorLanes(columns, outputStride, outputColumn);
  forEachWindow(graph, rows, [flatIndices, flatY], (start, count) => {
    forEachWindow(graph, rowsIn, [flatX], (firstRow, shownRows) => {
      graph.dispatch({
        shader: "dense/gatherRows",
        label,
        aliases: { Input: vectorType(x.dtype, lanes), Output: vectorType(y.dtype, lanes) },
        overrides: { workgroupSize, keep: keep || firstRow > 0 },
        tensors: {
          x: rowsOf(flatX, firstRow, shownRows),
          indices: rowsOf(flatIndices, start, count),
          y: rowsOf(flatY, start, count)
        },
        params: {
          ...{ elements: count * columns / lanes, columns: columns / lanes, firstRow, rowsIn: shownRows },
          ...{ outputStride: outputStride / lanes, outputColumn: outputColumn / lanes }
        },
        workgroups: foldedWorkgroups(Math.ceil(count * columns / lanes / (4 * workgroupSize)))
      });
    });
  });
  return y;
}

// engine/kernels/dense/gatherBands.ts
function forEachGatherBand(graph, request, record) {
  const { x, rowsIn, table, rows } = request;
  const [rowsOut, taps] = table.shape;
  const images = x.shape[0] / rowsIn;
  const perImage = [byImage(x, rowsIn), ...rows.map((tensor) => byImage(tensor, rowsOut))];
  if (allFit(graph, [x, table, ...rows])) {
    record({ start: 0, count: images * rowsOut, x, imageRowsIn: rowsIn, table, rows, before: 0 });
    return;
  }
  if (images > 1 && allFit(graph, [table]) && windowRows(graph, images, perImage) > 0) {
    forEachWindow(graph, images, perImage, (first, count) => {
      record({
        start: first * rowsOut,
        count: count * rowsOut,
        x: rowsOf(x, first * rowsIn, count * rowsIn),
        imageRowsIn: rowsIn,
        table,
        rows: rows.map((tensor) => rowsOf(tensor, first * rowsOut, count * rowsOut)),
        before: 0
      });
    });
    return;
  }
  const key = graph.constantOf(table)?.key;
  for (let image = 0; image < images; image++) {
    const band = (start, count, shown) => {
      const first = image * rowsOut + start;
      const { tensors, first: shownFirst } = showRows(rows, first, first + count);
      record({ start: first, count, rows: tensors, before: first - shownFirst, ...shown });
    };
    if (key === void 0) {
      const ofImage = showRows([x], image * rowsIn, (image + 1) * rowsIn);
      const shown = allFit(graph, ofImage.tensors) && ofImage.first === image * rowsIn;
      if (!shown && !(request.zerosForNone && images === 1)) throw tooLarge(graph, [byImage(x, rowsIn)], 1);
      const copies = shown ? [] : [{ ...x, shape: [rowsOut, taps, x.shape[1]] }];
      forEachWindow(
        graph,
        rowsOut,
        [table, ...copies, ...rows.map((tensor) => rowsOf(tensor, image * rowsOut, rowsOut))],
        (start, count) => {
          const own = rowsOf(table, start, count);
          if (shown) return band(start, count, { x: ofImage.tensors[0], imageRowsIn: rowsIn, table: own });
          const copy = gatherRows(graph, { x, indices: own, label: `${request.label} rows` });
          const inOrder = graph.constant(
            `rows in order ${count} x ${taps}`,
            "i32",
            [count, taps],
            () => Int32Array.from({ length: count * taps }, (_, i) => i)
          );
          band(start, count, { x: copy, imageRowsIn: count * taps, table: inOrder });
        }
      );
      continue;
    }
    for (const { start, count, from, to } of bands(graph, request, tableValues(graph, table), image * rowsIn)) {
      const name = `${key} rows ${start} .. ${start + count}`;
      const piece = (suffix, rowOf) => graph.constant(
        `${name} ${suffix}`,
        "i32",
        [count, taps],
        () => Int32Array.from(tableValues(graph, table).subarray(start * taps, (start + count) * taps), rowOf)
      );
      if (to === void 0) {
        const indices = piece(`of image ${image}`, (row) => row < 0 ? -1 : image * rowsIn + row);
        const copies = gatherRows(graph, { x, indices, label: `${request.label} rows` });
        const own = piece("copied", (row, index) => row < 0 ? -1 : index);
        band(start, count, { x: copies, imageRowsIn: copies.shape[0], table: own });
      } else {
        const { tensors, first } = showRows([x], from, to);
        const shift = image * rowsIn - first;
        const own = piece(`from ${-shift}`, (row) => row < 0 ? -1 : row + shift);
        band(start, count, { x: tensors[0], imageRowsIn: to - first, table: own });
      }
    }
  }
}
function tableValues(graph, table) {
  const constant = graph.constantOf(table);
  if (!(constant?.values instanceof Int32Array)) throw new Error(`${graph.path}: ${table.storage.label} is no table of rows`);
  return constant.values;
}
function bands(graph, { x, table, rows, label }, values, firstRow) {
  const limit = bindingLimit(graph);
  const [rowsOut, taps] = table.shape;
  const aligned = alignedRows(rows);
  const spareIn = alignedRows([x]) - 1;
  const mostIn = Math.floor(limit / rowBytes(x)) - spareIn;
  const mostOut = Math.min(...[rowBytes(table), ...rows.map(rowBytes)].map((bytes) => Math.floor(limit / bytes))) - (aligned - 1);
  const copied = Math.min(mostOut, Math.floor(limit / (rowBytes(x) * taps)), Math.floor(limit / (4 * taps)));
  const found = [];
  for (let start = 0; start < rowsOut; ) {
    let [from, to] = [Number.POSITIVE_INFINITY, 0];
    let best;
    for (let row = start; row < rowsOut && row - start < mostOut; row++) {
      for (let tap = 0; tap < taps; tap++) {
        const source = values[row * taps + tap];
        if (source < 0) continue;
        from = Math.min(from, source);
        to = Math.max(to, source + 1);
      }
      if (to - from > mostIn) break;
      if ((row + 1) % aligned === 0 || row + 1 === rowsOut) {
        best = { start, count: row + 1 - start, from: firstRow + Math.min(from, to), to: firstRow + Math.max(to, Math.min(from, to) + 1) };
      }
    }
    if (best === void 0 || best.count < copied && best.count < rowsOut - start) {
      const count = Math.min(rowsOut - start, copied >= aligned ? Math.floor(copied / aligned) * aligned : copied);
      if (best === void 0 || count > best.count) {
        if (count < 1) throw tooLarge(graph, [x, ...rows], taps);
        best = { start, count, from: 0, to: void 0 };
      }
    }
    found.push(best);
    start += best.count;
  }
  if (elementCount(table.shape) !== values.length) throw new Error(`${graph.path}/${label}: the table has ${values.length} values`);
  return found;
}
function byImage(tensor, rows) {
  const images = tensor.shape[0] / rows;
  return { ...tensor, shape: [images, tensorBytes(tensor) / elementBytes(tensor.dtype) / images] };
}

// engine/kernels/dense/subgroupMatrix.ts
function hasSubgroupMatrices(report) {
  return report.subgroupMatrixShapes.includes("f16->f32 16x16x16") && report.subgroupSizes.every((size) => size === 32);
}

// engine/kernels/dense/matmulKernels.ts
function chooseMatmulKernel(report, facts) {
  const { rows, columns, gated, halves, channels, weights, inputs, outputs } = facts;
  const all = (values, unit) => values.every((value) => value % unit === 0);
  const whole = channels % 32 === 0 && all(inputs, 8) && columns % (gated ? 8 : 4) === 0 && all(outputs, 4);
  if (hasSubgroupMatrices(report) && halves && rows > 64 && whole) {
    const { parts, fragmentColumns } = divide(facts);
    const tile = { tileRows: 128, tileColumns: 32 * fragmentColumns, takesAnyDtype: false };
    if (parts > 1) return { ...tile, shader: "dense/matmulParts", overrides: { fragmentColumns }, parts };
    return { ...tile, shader: "dense/matmulSubgroupMatrix", overrides: { fragmentColumns, gated } };
  }
  if (columns <= 8 && rows > 64 && weights === 1 && !gated && channels % 4 === 0 && all(inputs, 4)) {
    return { shader: "dense/matmulFewColumns", tileRows: 32, tileColumns: 8, takesAnyDtype: true, overrides: { wide: columns > 4 } };
  }
  const vectors = channels % 4 === 0 && all(inputs, 4) && columns % (gated ? 8 : 4) === 0 && all(outputs, 4);
  if (!report.software && rows > 64 && columns > 32 && vectors) {
    return { shader: "dense/matmulVectors", tileRows: 128, tileColumns: 128, takesAnyDtype: true, overrides: { gated } };
  }
  const square = report.software || rows <= 64 ? 8 : 16;
  const threadsX = [1, 2, 4].find((threads) => columns <= 8 * threads) ?? square;
  const threadsY = threadsX < 8 && rows > 64 ? 32 : square;
  const overrides = { threadsX, threadsY, gated };
  return { shader: "dense/matmul", tileRows: 8 * threadsY, tileColumns: 8 * threadsX, takesAnyDtype: true, overrides };
}
function divide(facts) {
  const { rows, columns, channels, taps, gated, weights } = facts;
  const whole = [4, 5].map((fragmentColumns) => ({ fragmentColumns, parts: 1 }));
  const best = whole.reduce((a, b) => microseconds(facts, b) < microseconds(facts, a) ? b : a);
  if (gated || weights > 1) return best;
  const inParts = [];
  for (let parts = 2; parts <= 8 && channels * taps / 32 / parts >= 8 && parts * rows * columns <= 2 ** 24; parts++)
    for (const { fragmentColumns } of whole) inParts.push({ fragmentColumns, parts });
  const fastest = inParts.reduce((a, b) => microseconds(facts, b) < microseconds(facts, a) ? b : a, best);
  return microseconds(facts, fastest) < 0.85 * microseconds(facts, best) ? fastest : best;
}
function microseconds({ rows, columns, channels, taps }, { fragmentColumns, parts }) {
  const multiprocessors = 132;
  const tiles = Math.ceil(rows / 128) * Math.ceil(columns / (32 * fragmentColumns));
  const workgroups = tiles * parts;
  const slices = Math.ceil(channels * taps / 32 / parts);
  const [shared, alone] = fragmentColumns === 5 ? [1.06, 0.83] : [0.9, 0.8];
  const besides = 5;
  const turns = Math.floor(workgroups / (2 * multiprocessors));
  const rest = workgroups - turns * 2 * multiprocessors;
  const last = rest === 0 ? 0 : slices * (rest > multiprocessors ? shared : alone) + besides;
  const adding = parts === 1 ? 0 : 4.5 + workgroups * fragmentColumns * 4e-3;
  return turns * (slices * shared + besides) + last + adding;
}

// engine/kernels/dense/rowSegments.ts
function segmentParams(segments) {
  return segments ? [segments.first, segments.count, segments.stride] : [0, 1, 0];
}
function forEachSegmentWindow(graph, rows, sides, record) {
  if (allFit(
    graph,
    sides.flatMap(({ tensors }) => tensors)
  )) {
    record(0, rows, sides);
    return;
  }
  const limit = bindingLimit(graph);
  const rowOf = ({ segments: s }, m) => s ? s.first + Math.floor(m / s.count) * s.stride + m % s.count : m;
  const fits = (side, start, end) => {
    const first = Math.floor(rowOf(side, start) / alignedRows(side.tensors)) * alignedRows(side.tensors);
    return side.tensors.every((tensor) => (rowOf(side, end - 1) + 1 - first) * rowBytes(tensor) <= limit);
  };
  for (let start = 0; start < rows; ) {
    const last = Math.min(
      rows,
      ...sides.map(({ segments: s }) => s && start % s.count !== 0 ? start - start % s.count + s.count : rows)
    );
    let [count, tooMany] = [0, last - start + 1];
    while (tooMany - count > 1) {
      const middle = Math.floor((count + tooMany) / 2);
      if (sides.every((side) => fits(side, start, start + middle))) count = middle;
      else tooMany = middle;
    }
    if (count === 0)
      throw tooLarge(
        graph,
        sides.flatMap(({ tensors }) => tensors),
        1
      );
    if (start + count < last) {
      const wholes = sides.flatMap(({ segments: s }) => s && start % s.count === 0 && count > s.count ? [s.count] : []);
      const plain = sides.flatMap(({ segments, tensors }) => segments === void 0 ? tensors : []);
      const unit = alignedRows(plain, Math.max(1, ...wholes));
      count = Math.floor(count / unit) * unit || count;
    }
    const [from, end] = [start, start + count];
    const shown = sides.map((side) => {
      const window = showRows(side.tensors, rowOf(side, from), rowOf(side, end - 1) + 1);
      const first = rowOf(side, from) - window.first;
      const plain = side.segments === void 0 && first === 0;
      const inside = side.segments === void 0 || from % side.segments.count !== 0 || count <= side.segments.count;
      return {
        tensors: window.tensors,
        segments: plain ? void 0 : inside ? { first, count, stride: count, segments: 1 } : { ...side.segments, first }
      };
    });
    record(start, count, [shown[0], shown[1]]);
    start += count;
  }
}

// engine/kernels/dense/matmul.ts
var activationCode = { none: 0, silu: 1, gelu: 2, geluTanh: 3, relu: 4 };
var batchedRows = 256;
function matmul(graph, request) {
  const { x, weight, weights = 1, bias, neighbours, rowBias, gate, residual, gated = false } = request;
  const label = request.label ?? "matmul";
  const width = x.shape.at(-1) ?? 0;
  const rowsIn = elementCount(x.shape) / width;
  const columns = weight.shape[weights > 1 ? 1 : 0];
  const inner = elementCount(weight.shape) / columns / weights;
  const taps = neighbours ? neighbours.table.shape[1] : 1;
  const channels = inner / taps;
  const column = request.xColumn ?? 0;
  if (!Number.isInteger(channels) || column + channels > width) {
    throw new Error(
      `${graph.path}/${label}: weight ${describe(weight)} does not fit x ${describe(x)}${neighbours ? ` with ${taps} taps` : ""}`
    );
  }
  const images = neighbours ? rowsIn / neighbours.rowsIn : 1;
  if (!Number.isInteger(images))
    throw new Error(`${graph.path}/${label}: x ${describe(x)} is not whole images of ${neighbours?.rowsIn} rows`);
  const { xRows, into } = request;
  const readRows = xRows ? xRows.count * xRows.segments : rowsIn;
  const imageRowsOut = neighbours ? neighbours.table.shape[0] : readRows;
  const rows = neighbours ? images * imageRowsOut : readRows;
  const weightRows = rows / weights;
  const wholeTiles = weightRows % batchedRows === 0 && (!neighbours || imageRowsOut % batchedRows === 0);
  if (weights > 1 && (weight.shape[0] !== weights || !wholeTiles || xRows || into?.rows)) {
    throw new Error(
      `${graph.path}/${label}: ${weights} weights must be [${weights}, columns, channels] for x of as many times a multiple of ${batchedRows} rows, got ${describe(weight)} for ${describe(x)}`
    );
  }
  const outputColumns = gated ? columns / 2 : columns;
  const leading = neighbours || xRows ? [rows] : x.shape.slice(0, -1);
  const y = into?.tensor ?? graph.tensor(label, request.outputDtype ?? x.dtype, [...leading, outputColumns]);
  const outputStride = y.shape.at(-1) ?? 0;
  const outputRows = elementCount(y.shape) / outputStride;
  if (into?.rows ? into.rows.count * into.rows.segments !== rows : outputRows !== rows) {
    throw new Error(`${graph.path}/${label}: output must take ${rows} rows, got ${describe(y)}`);
  }
  if (residual && elementCount(residual.shape) !== outputRows * outputColumns) {
    throw new Error(`${graph.path}/${label}: residual must be [${outputRows},${outputColumns}], got ${describe(residual)}`);
  }
  if (bias && elementCount(bias.shape) !== columns)
    throw new Error(`${graph.path}/${label}: bias must be [${columns}], got ${describe(bias)}`);
  const outputColumn = into?.column ?? 0;
  const kernel = chooseMatmulKernel(graph.device.report, {
    rows,
    columns,
    gated,
    halves: x.dtype === "f16" && weight.dtype === "f16",
    channels,
    taps,
    weights,
    inputs: [width, column],
    outputs: [
      outputStride,
      outputColumn,
      ...[rowBias, gate].flatMap((group) => group ? [group.tensor.shape.at(-1) ?? 0, group.column ?? 0] : [])
    ]
  });
  const flat = (tensor, count) => ({ ...tensor, shape: [count, elementCount(tensor.shape) / count] });
  const flatX = flat(x, rowsIn);
  const flatY = flat(y, outputRows);
  const flatResidual = residual && flat(residual, outputRows);
  const record = (start, count, shown) => {
    if (weights > 1 && start % batchedRows !== 0) throw tooLarge(graph, [flatX, flatY], batchedRows);
    const [shownBias, shownGate] = [rowBias, gate].map((part) => part && showGroups(graph, part, start, count));
    const columnTiles = Math.ceil(columns / kernel.tileColumns);
    const parts = kernel.parts ?? 1;
    const partRows = Math.ceil(count / kernel.tileRows) * kernel.tileRows;
    const overrides = {
      gathered: neighbours !== void 0,
      activation: activationCode[request.activation ?? "none"],
      hasBias: bias !== void 0,
      hasRowBias: rowBias !== void 0,
      hasGate: gate !== void 0,
      hasResidual: residual !== void 0,
      accumulate: into?.accumulate ?? false,
      segmentedX: shown.xRows !== void 0,
      segmentedY: shown.yRows !== void 0
    };
    const params = {
      rows: count,
      columns,
      channels,
      taps,
      firstRow: start,
      inputStride: width,
      inputColumn: column,
      outputStride,
      outputColumn,
      imageRowsIn: shown.imageRowsIn ?? rows,
      imageRowsOut: shown.table?.shape[0] ?? readRows,
      rowBiasRows: rowBias?.rows ?? 1,
      rowBiasStride: rowBias?.tensor.shape.at(-1) ?? 0,
      rowBiasColumn: shownBias?.column ?? 0,
      gateRows: gate?.rows ?? 1,
      gateStride: gate?.tensor.shape.at(-1) ?? 0,
      gateColumn: shownGate?.column ?? 0,
      columnTiles,
      weightRows: weights > 1 ? weightRows : rows,
      parts,
      partRows,
      xSegment: segmentParams(shown.xRows),
      ySegment: segmentParams(shown.yRows)
    };
    const read = { x: shown.x, weight, neighbours: shown.table };
    const finished = { bias, rowBias: shownBias?.tensor, gate: shownGate?.tensor, residual: shown.residual, y: shown.y };
    const outputAliases = { Output: y.dtype, Residual: residual?.dtype ?? "f32" };
    const workgroups = foldedWorkgroups(parts * columnTiles * partRows / kernel.tileRows);
    if (parts === 1) {
      graph.dispatch({
        shader: kernel.shader,
        label,
        aliases: { ...outputAliases, ...kernel.takesAnyDtype && { Input: x.dtype, Weight: weight.dtype } },
        overrides: { ...kernel.overrides, ...overrides },
        tensors: { ...read, ...finished },
        params,
        workgroups
      });
      return;
    }
    const sums = graph.tensor(`${label} sums`, "f32", [parts, partRows, columnTiles * kernel.tileColumns]);
    graph.dispatch({
      shader: kernel.shader,
      label,
      overrides: { ...kernel.overrides, ...overrides },
      tensors: { ...read, y: sums },
      params,
      workgroups
    });
    const workgroupSize = 128;
    graph.dispatch({
      shader: "dense/matmulPartsSum",
      label: `${label} sum`,
      aliases: outputAliases,
      overrides: { ...overrides, fragmentColumns: kernel.overrides.fragmentColumns, workgroupSize },
      tensors: { sums, ...finished },
      params,
      workgroups: foldedWorkgroups(Math.ceil(partRows * columnTiles * kernel.tileColumns / 4 / workgroupSize))
    });
  };
  const written = [flatY, ...flatResidual ? [flatResidual] : []];
  if (neighbours !== void 0 && into?.rows) {
    const { table, rowsIn: imageRowsIn } = neighbours;
    const sides = [
      { tensors: [table], segments: void 0 },
      { tensors: written, segments: into.rows }
    ];
    if (images !== 1) throw new Error(`${graph.path}/${label}: rows of the output are for one image, got ${images}`);
    forEachSegmentWindow(graph, rows, sides, (start, count, [read, { tensors, segments }]) => {
      if (read.segments) throw tooLarge(graph, [table], count);
      record(start, count, { x: flatX, y: tensors[0], residual: tensors[1], yRows: segments, table: read.tensors[0], imageRowsIn });
    });
  } else if (neighbours !== void 0) {
    forEachGatherBand(
      graph,
      { x: flatX, rowsIn: neighbours.rowsIn, table: neighbours.table, rows: written, zerosForNone: true, label },
      (band) => {
        const [bandY, bandResidual] = band.rows;
        const yRows = band.before === 0 ? void 0 : { first: band.before, count: band.count, stride: band.count, segments: 1 };
        const { table, imageRowsIn } = band;
        record(band.start, band.count, { x: band.x, y: bandY, residual: bandResidual, yRows, table, imageRowsIn });
      }
    );
  } else if (xRows || into?.rows) {
    const sides = [
      { tensors: [flatX], segments: xRows },
      { tensors: written, segments: into?.rows }
    ];
    forEachSegmentWindow(graph, rows, sides, (start, count, [read, { tensors, segments }]) => {
      record(start, count, { x: read.tensors[0], xRows: read.segments, y: tensors[0], residual: tensors[1], yRows: segments });
    });
  } else {
    const ofRows = [rowBias, gate].flatMap((part) => part?.rows === 1 ? [flat(part.tensor, rows)] : []);
    const show = (start, count) => {
      const [shownX, shownY, shownResidual] = [flatX, ...written].map((tensor) => rowsOf(tensor, start, count));
      record(start, count, { x: shownX, y: shownY, residual: shownResidual });
    };
    forEachWindow(graph, rows, [flatX, ...written, ...ofRows], show, weights > 1 ? batchedRows : 1);
  }
  return y;
}

// engine/kernels/dense/convolutionGeometry.ts
function convolutionExtent(geometry) {
  const { extent, kernel, stride = 1, upsample = 1, dilation = 1 } = geometry;
  return extent.map((size, axis) => {
    const [before, after] = paddingOf(geometry, axis);
    return Math.floor((size * upsample + before + after - dilation * (kernel[axis] - 1) - 1) / stride) + 1;
  });
}
function paddingOf(geometry, axis) {
  const { padding = 0 } = geometry;
  return typeof padding === "number" ? [padding, padding] : padding[axis];
}
function convolutionNeighbours(geometry) {
  const { extent, kernel, stride = 1, upsample = 1, dilation = 1 } = geometry;
  const out = convolutionExtent(geometry);
  let table = Int32Array.of(0);
  let rows = 1;
  let taps = 1;
  for (let axis = 0; axis < extent.length; axis++) {
    const [before] = paddingOf(geometry, axis);
    const next = new Int32Array(rows * out[axis] * taps * kernel[axis]);
    let write = 0;
    for (let row = 0; row < rows; row++) {
      for (let position = 0; position < out[axis]; position++) {
        for (let tap = 0; tap < taps; tap++) {
          const outer = table[row * taps + tap];
          for (let k = 0; k < kernel[axis]; k++) {
            const raw = position * stride + k * dilation - before;
            const inside = outer >= 0 && raw >= 0 && raw < extent[axis] * upsample;
            next[write++] = inside ? outer * extent[axis] + Math.floor(raw / upsample) : -1;
          }
        }
      }
    }
    table = next;
    rows *= out[axis];
    taps *= kernel[axis];
  }
  return table;
}
function neighboursOf(graph, geometry) {
  const rows = convolutionExtent(geometry).reduce((a, b) => a * b, 1);
  const taps = geometry.kernel.reduce((a, b) => a * b, 1);
  const rowsIn = geometry.extent.reduce((a, b) => a * b, 1);
  const table = graph.constant(`convolution ${JSON.stringify(geometry)}`, "i32", [rows, taps], () => convolutionNeighbours(geometry));
  return { table, rowsIn };
}

// engine/kernels/dense/permute.ts
function permute(graph, request) {
  const { x, axes } = request;
  const label = request.label ?? "permute";
  const view = request.view ?? x.shape;
  if (elementCount(view) !== elementCount(x.shape) || [...axes].sort((a, b) => a - b).some((axis2, i) => axis2 !== i) || axes.length !== view.length) {
    throw new Error(`${graph.path}/${label}: axes [${axes}] of [${view}] are no order of ${describe(x)}`);
  }
  const shape = axes.map((axis2) => view[axis2]);
  const y = graph.tensor(label, request.outputDtype ?? x.dtype, shape);
  const { extents, strides } = mergedAxes(view, axes);
  if (extents.length > 8) throw new Error(`${graph.path}/${label}: [${view}] in order [${axes}] has more than 8 axes`);
  const axis = Math.max(
    0,
    shape.findIndex((extent) => extent > 1)
  );
  const from = axes[axis] ?? 0;
  const outer = shape[axis] ?? 1;
  const rowElements = elementCount(shape.slice(axis + 1));
  const outerStride = elementCount(view.slice(from + 1));
  const alike = outer * outerStride === elementCount(x.shape);
  const flatX = reshape(x, alike ? [outer, outerStride] : [elementCount(x.shape)]);
  const flatY = reshape(y, [outer, rowElements]);
  const workgroupSize = graph.device.report.software ? 64 : 256;
  forEachWindow(graph, outer, alike ? [flatX, flatY] : [flatY], (start, count) => {
    graph.dispatch({
      shader: "dense/permute",
      label,
      aliases: { Input: x.dtype, Output: y.dtype },
      overrides: { workgroupSize, rank: extents.length },
      tensors: { x: alike ? rowsOf(flatX, start, count) : flatX, y: rowsOf(flatY, start, count) },
      params: {
        elements: count * rowElements,
        firstInput: alike ? 0 : start * outerStride,
        ...axisParams(extents, strides)
      },
      workgroups: foldedWorkgroups(Math.ceil(count * rowElements / workgroupSize))
    });
  });
  return y;
}
function mergedAxes(view, axes) {
  const extents = [];
  const strides = [];
  for (const axis of axes) {
    const extent = view[axis];
    const stride = elementCount(view.slice(axis + 1));
    if (extent === 1) continue;
    const last = extents.length - 1;
    if (last >= 0 && strides[last] === stride * extent) {
      extents[last] *= extent;
      strides[last] = stride;
    } else {
      extents.push(extent);
      strides.push(stride);
    }
  }
  return extents.length === 0 ? { extents: [1], strides: [0] } : { extents, strides };
}
function axisParams(extents, strides) {
  const extent = [...new Array(8 - extents.length).fill(1), ...extents];
  const stride = [...new Array(8 - strides.length).fill(0), ...strides];
  return { extent0: extent.slice(0, 4), extent1: extent.slice(4), stride0: stride.slice(0, 4), stride1: stride.slice(4) };
}

// engine/kernels/dense/groupNorm.ts
var wanted = Object.freeze({ slices: 48, leastRows: 8, mostRows: 64, mostSlices: 1024 });
function divide2(workgroupSize, positions, vectors) {
  const least = Math.ceil(vectors / workgroupSize);
  let best = { width: 0, chunks: 0, busy: 0 };
  for (let chunks2 = least; chunks2 <= 4 * least; chunks2++) {
    const width2 = Math.ceil(vectors / chunks2);
    const busy = vectors / chunks2 * Math.floor(workgroupSize / width2) / workgroupSize;
    if (busy > best.busy + 0.05) best = { width: width2, chunks: chunks2, busy };
  }
  const { width, chunks } = best;
  const lanes = Math.floor(workgroupSize / width);
  const rows = Math.min(Math.max(Math.ceil(positions / wanted.slices), lanes * wanted.leastRows), lanes * wanted.mostRows);
  return { width, chunks, sliceRows: Math.max(rows, Math.ceil(positions / wanted.mostSlices)) };
}
function prepare(graph, request) {
  const { x, groups, affine } = request;
  const label = request.label ?? "groupNorm";
  const where = `${graph.path}/${label}`;
  const channels = x.shape.at(-1) ?? 0;
  const images = x.shape[0];
  const positions = elementCount(x.shape.slice(1, -1));
  if (x.shape.length < 3 || channels === 0 || channels % groups !== 0) {
    throw new Error(`${where}: x must be [images, positions, channels] with channels a multiple of ${groups}, got ${describe(x)}`);
  }
  for (const [name, tensor] of Object.entries(affine ?? {})) {
    if (elementCount(tensor.shape) !== channels) throw new Error(`${where}: ${name} must be [${channels}], got ${describe(tensor)}`);
  }
  const workgroupSize = graph.device.report.software ? 64 : 256;
  const lanes = vectorLanes(channels);
  const division = divide2(workgroupSize, positions, channels / lanes);
  return {
    ...{ label, channels, images, positions, workgroupSize },
    ...division,
    flatX: reshape(x, [images, positions, channels]),
    /** The type of one binding's elements. */
    vector: (dtype) => vectorType(dtype, lanes),
    /** Params and workgroups of a kernel that goes over all values. */
    over(part) {
      const { width, chunks, sliceRows } = division;
      const workgroups = part.images * part.slices * chunks;
      return {
        params: {
          ...{ positions: part.positions, channels: channels / lanes, sliceRows, slices: part.slices },
          ...{ firstImage: part.firstImage, width, chunks, workgroups }
        },
        workgroups: foldedWorkgroups(workgroups)
      };
    }
  };
}
function groupNormFactors(graph, request) {
  const { x, groups, eps, affine } = request;
  const { label, channels, images, positions, workgroupSize, sliceRows, flatX, vector, over } = prepare(graph, request);
  const allSlices = Math.ceil(positions / sliceRows);
  const partials = graph.tensor(`${label} partials`, "f32", [images, allSlices, 2, channels]);
  const factors = graph.tensor(`${label} factors`, "f32", [images, 2, channels]);
  forEachPart(graph, flatX, [flatX], sliceRows, (part) => {
    const { params, workgroups } = over(part);
    graph.dispatch({
      shader: "dense/groupNormPartials",
      label: `${label} partials`,
      aliases: { Input: vector(x.dtype), Values: vector("f32") },
      overrides: { workgroupSize },
      tensors: { x: part.of(flatX), partials },
      params: { ...params, firstSlice: part.firstSlice, allSlices },
      workgroups
    });
  });
  graph.dispatch({
    shader: "dense/groupNormStatistics",
    label: `${label} statistics`,
    overrides: { workgroupSize, affine: affine !== void 0 },
    tensors: { partials, weight: affine?.weight, factors },
    params: {
      ...{ positions, channels, groupChannels: channels / groups, sliceRows, slices: allSlices },
      ...{ eps, groups, workgroups: images * groups }
    },
    workgroups: foldedWorkgroups(images * groups)
  });
  return factors;
}
function forEachPart(graph, shape, tensors, sliceRows, record) {
  const [images, positions, channels] = shape.shape;
  const limit = graph.device.report.limits.maxStorageBufferBindingSize;
  if (tensors.every((tensor) => positions * channels * elementBytes(tensor.dtype) <= limit)) {
    forEachWindow(graph, images, tensors, (firstImage, count) => {
      record({
        firstImage,
        images: count,
        positions,
        firstSlice: 0,
        slices: Math.ceil(positions / sliceRows),
        of: (tensor) => rowsOf(tensor, firstImage, count)
      });
    });
    return;
  }
  for (let image = 0; image < images; image++) {
    const of = (tensor) => reshape(rowsOf(tensor, image, 1), [positions, channels]);
    forEachWindow(
      graph,
      positions,
      tensors.map(of),
      (start, count) => {
        const slices = Math.ceil(count / sliceRows);
        record({
          firstImage: image,
          images: 1,
          positions: count,
          firstSlice: start / sliceRows,
          slices,
          of: (tensor) => rowsOf(of(tensor), start, count)
        });
      },
      sliceRows
    );
  }
}

// engine/kernels/dense/winogradConvolution.ts
var kernelsOf = {
  2: { input: "dense/winogradInput", weight: "dense/winogradWeight", output: "dense/winogradOutput", inputChannels: 4 },
  4: { input: "dense/winogradInput4", weight: "dense/winogradWeight4", output: "dense/winogradOutput4", inputChannels: 2 }
};
function sizesOf(x, tile) {
  const volume = x.shape.length === 5;
  const [images, depth, height, width, channels] = volume ? x.shape : [x.shape[0], 1, ...x.shape.slice(1)];
  const [tilesY, tilesX] = [Math.ceil(height / tile), Math.ceil(width / tile)];
  return { volume, images, depth, height, width, channels, tilesY, tilesX, tiles: tilesY * tilesX };
}
var paddedRows = (rows) => Math.ceil(rows / batchedRows) * batchedRows;
function winogradConvolution(graph, request) {
  const { x, norm, weight, bias, rowBias, residual } = request;
  const label = request.label ?? "convolution";
  const tile = request.tile ?? winogradTile(graph, x, weight) ?? 2;
  const { volume, images, depth, height, width, channels, tilesY, tilesX, tiles } = sizesOf(x, tile);
  const kernels = kernelsOf[tile];
  const planes = (tile + 2) ** 2;
  const columns = weight.shape[0];
  const dtype = weight.dtype;
  const fits = (volume || x.shape.length === 4) && weight.shape.slice(1, -1).join() === (volume ? "3,3,3" : "3,3");
  if (!fits || weight.shape.at(-1) !== channels || channels % 4 !== 0 || columns % 4 !== 0 || volume && norm) {
    throw new Error(`${graph.path}/${label}: weight ${describe(weight)} does not fit x ${describe(x)}`);
  }
  if (volume && (tile !== 2 || depth * tiles % batchedRows !== 0)) {
    throw new Error(`${graph.path}/${label}: x must have a multiple of ${batchedRows} tiles of 2 x 2 voxels, got ${describe(x)}`);
  }
  if (rowBias && rowBias.rows % (height * width) !== 0)
    throw new Error(`${graph.path}/${label}: rowBias must be of whole images, got one of ${rowBias.rows} rows`);
  const outputDtype = request.outputDtype ?? dtype;
  const y = graph.tensor(label, outputDtype, [...x.shape.slice(0, -1), columns]);
  if (residual && elementCount(residual.shape) !== elementCount(y.shape))
    throw new Error(`${graph.path}/${label}: residual must be ${describe(y)}, got ${describe(residual)}`);
  const factors = norm && groupNormFactors(graph, { ...norm, x, label: `${label} norm` });
  const transformedWeight = transformWeight(graph, weight, tile, label);
  const between = [
    [1, 1],
    [0, 0]
  ];
  const neighbours = volume ? neighboursOf(graph, { extent: [depth, tiles], kernel: [3, 1], padding: between }) : void 0;
  const workgroupSize = graph.device.report.software ? 64 : 256;
  const imageBytes = planes * depth * tiles * (channels + columns) * elementBytes(dtype);
  const chunk = imagesAtOnce(graph, images, imageBytes, request.chunkBytes) * depth;
  const strip = (images * depth * height * width * channels >= 2 ** 25 ? 16 : 8) / tile;
  const strips = Math.ceil(tilesY / strip);
  const slices = (tensor, first, count) => rowsOf(reshape(tensor, [images * depth, height, width, elementCount(tensor.shape) / (images * depth * height * width)]), first, count);
  for (let first = 0; first < images * depth; first += chunk) {
    const count = Math.min(chunk, images * depth - first);
    const batchRows = paddedRows(count * tiles);
    const transformed = graph.tensor(`${label} transformed`, dtype, [planes * batchRows, channels]);
    const shape = { height, width, tilesY, tilesX, batchRows, firstImage: first };
    const threadsIn = count * strips * tilesX * (channels / kernels.inputChannels);
    graph.dispatch({
      shader: kernels.input,
      label: `${label} input`,
      aliases: { Input: x.dtype, Output: dtype },
      overrides: { workgroupSize, normalised: norm !== void 0, silu: norm?.silu ?? false },
      tensors: { x: slices(x, first, count), factors, bias: norm?.affine?.bias, v: transformed },
      params: { ...shape, vectors: channels / kernels.inputChannels, strip, strips, threads: threadsIn },
      workgroups: foldedWorkgroups(Math.ceil(threadsIn / workgroupSize))
    });
    const products = matmul(graph, { x: transformed, weight: transformedWeight, weights: planes, neighbours, label: `${label} products` });
    const threadsOut = count * tiles * (columns / 4);
    graph.dispatch({
      shader: kernels.output,
      label,
      aliases: { Product: products.dtype, Output: outputDtype, Residual: residual?.dtype ?? "f32" },
      overrides: {
        workgroupSize,
        activation: activationCode[request.activation ?? "none"],
        hasBias: bias !== void 0,
        hasRowBias: rowBias !== void 0,
        hasResidual: residual !== void 0
      },
      tensors: {
        m: products,
        bias,
        rowBias: rowBias?.tensor,
        residual: residual && slices(residual, first, count),
        y: slices(y, first, count)
      },
      params: {
        ...shape,
        vectors: columns / 4,
        threads: threadsOut,
        rowBiasImages: rowBias ? rowBias.rows / (height * width) : 1,
        rowBiasStride: rowBias?.tensor.shape.at(-1) ?? 0,
        rowBiasColumn: rowBias?.column ?? 0
      },
      workgroups: foldedWorkgroups(Math.ceil(threadsOut / workgroupSize))
    });
  }
  return y;
}
function winogradTile(graph, x, weight) {
  const { report } = graph.device;
  const taps = weight.shape.slice(1, -1);
  if (x.shape.length !== taps.length + 2 || taps.length > 3 || taps.length < 2 || taps.some((count) => count !== 3)) return void 0;
  if (!hasSubgroupMatrices(report) || weight.dtype !== "f16") return void 0;
  const columns = weight.shape[0];
  const fitting = [2, 4].filter((tile) => {
    const { volume, images, depth, channels, tiles } = sizesOf(x, tile);
    const rows = images * depth * tiles;
    const whole = volume ? tile === 2 && depth * tiles % batchedRows === 0 : paddedRows(rows) <= 1.25 * rows;
    const bytes = (tile + 2) ** 2 * (depth * tiles + batchedRows) * Math.max(channels, columns) * 2;
    const wide = channels >= 256 && columns >= 256 && channels % 32 === 0 && columns % 4 === 0;
    return wide && whole && bytes <= report.limits.maxStorageBufferBindingSize;
  });
  return fitting.at(-1);
}
function imagesAtOnce(graph, images, imageBytes, chunkBytes = 2 ** 30) {
  const bytes = Math.min(chunkBytes, graph.device.report.limits.maxStorageBufferBindingSize);
  const most = Math.max(1, Math.floor(bytes / imageBytes));
  return Math.ceil(images / Math.ceil(images / most));
}
function transformWeight(graph, weight, tile, label) {
  const [outer, channels] = [weight.shape.slice(0, -3), weight.shape.at(-1) ?? 0];
  const columns = elementCount(outer);
  const u = graph.tensor(`${label} weight`, weight.dtype, [(tile + 2) ** 2, ...outer, channels]);
  const workgroupSize = graph.device.report.software ? 64 : 256;
  graph.dispatch({
    shader: kernelsOf[tile].weight,
    label: `${label} weight`,
    aliases: { Weight: weight.dtype },
    overrides: { workgroupSize },
    tensors: { weight, u },
    params: { columns, vectors: channels / 4 },
    workgroups: foldedWorkgroups(Math.ceil(columns * channels / 4 / workgroupSize))
  });
  return u;
}

// engine/kernels/dense/upsampleConvolution.ts
function runsUpsampled(graph, x, weight) {
  const { report } = graph.device;
  if (x.shape.length !== 4 || weight.shape.slice(1, -1).join() !== "3,3") return false;
  const [images, height, width, channels] = x.shape;
  const columns = weight.shape[0];
  const pixels = height * width;
  const batchRows = Math.ceil(images * pixels / batchedRows) * batchedRows;
  const fits = 9 * (pixels + batchedRows) * Math.max(channels, columns) * 2 <= report.limits.maxStorageBufferBindingSize;
  const wide = channels >= 256 && columns >= 256 && channels % 32 === 0 && columns % 4 === 0;
  return hasSubgroupMatrices(report) && weight.dtype === "f16" && wide && fits && batchRows <= 1.25 * images * pixels;
}
function upsampleConvolution(graph, request) {
  const { x, weight, bias } = request;
  const label = request.label ?? "upsample";
  const [images, height, width, channels] = x.shape;
  const columns = weight.shape[0];
  const dtype = weight.dtype;
  const fits = x.shape.length === 4 && weight.shape.length === 4 && weight.shape[1] === 3 && weight.shape[2] === 3;
  if (!fits || weight.shape[3] !== channels || channels % 4 !== 0 || columns % 4 !== 0) {
    throw new Error(`${graph.path}/${label}: weight ${describe(weight)} does not fit x ${describe(x)}`);
  }
  const workgroupSize = graph.device.report.software ? 64 : 256;
  const transformedWeight = graph.tensor(`${label} weight`, dtype, [9, columns, channels]);
  graph.dispatch({
    shader: "dense/upsampleWeight",
    label: `${label} weight`,
    aliases: { Weight: dtype },
    overrides: { workgroupSize },
    tensors: { weight, u: transformedWeight },
    params: { columns, vectors: channels / 4 },
    workgroups: foldedWorkgroups(Math.ceil(columns * channels / 4 / workgroupSize))
  });
  const y = graph.tensor(label, x.dtype, [images, 2 * height, 2 * width, columns]);
  const chunk = imagesAtOnce(graph, images, 9 * height * width * (channels + columns) * elementBytes(dtype), request.chunkBytes);
  const strip = images * height * width * channels >= 2 ** 23 ? 8 : 4;
  const strips = Math.ceil(height / strip);
  for (let firstImage = 0; firstImage < images; firstImage += chunk) {
    const count = Math.min(chunk, images - firstImage);
    const batchRows = Math.ceil(count * height * width / batchedRows) * batchedRows;
    const transformed = graph.tensor(`${label} transformed`, dtype, [9 * batchRows, channels]);
    const threadsIn = count * strips * width * (channels / 4);
    graph.dispatch({
      shader: "dense/upsampleInput",
      label: `${label} input`,
      aliases: { Input: x.dtype, Output: dtype },
      overrides: { workgroupSize },
      tensors: { x: rowsOf(x, firstImage, count), v: transformed },
      params: { height, width, vectors: channels / 4, strip, strips, threads: threadsIn, batchRows },
      workgroups: foldedWorkgroups(Math.ceil(threadsIn / workgroupSize))
    });
    const products = matmul(graph, { x: transformed, weight: transformedWeight, weights: 9, label: `${label} products` });
    const threadsOut = count * height * width * (columns / 4);
    graph.dispatch({
      shader: "dense/upsampleOutput",
      label,
      aliases: { Product: products.dtype, Output: y.dtype },
      overrides: { workgroupSize, hasBias: bias !== void 0 },
      tensors: { m: products, bias, y: rowsOf(y, firstImage, count) },
      params: { width, vectors: columns / 4, threads: threadsOut, batchRows },
      workgroups: foldedWorkgroups(Math.ceil(threadsOut / workgroupSize))
    });
  }
  return y;
}

// engine/kernels/dense/convolution.ts
function convolution(graph, request) {
  const { x, weight, stride, padding, upsample, dilation, ...epilogue } = request;
  const extent = x.shape.slice(1, -1);
  const kernel = weight.shape.slice(1, -1);
  if (kernel.length !== extent.length || weight.shape.at(-1) !== x.shape.at(-1)) {
    throw new Error(`${graph.path}/${request.label ?? "convolution"}: weight ${describe(weight)} does not fit x ${describe(x)}`);
  }
  const transformed = byTransforms(graph, request);
  if (transformed) return transformed;
  const geometry = {
    extent,
    kernel,
    ...stride !== void 0 && { stride },
    ...padding !== void 0 && { padding },
    ...upsample !== void 0 && { upsample },
    ...dilation !== void 0 && dilation !== 1 && { dilation }
  };
  const apart = (padding ?? 0) === 0 && (upsample ?? 1) === 1 && (dilation ?? 1) === 1;
  if (apart && stride !== void 0 && stride > 1 && kernel.every((k, axis) => k === stride && extent[axis] % k === 0))
    return patchProduct(graph, request, stride);
  const pointwise = kernel.every((k) => k === 1) && (stride ?? 1) === 1 && apart;
  const y = matmul(graph, {
    label: "convolution",
    ...epilogue,
    x,
    weight,
    ...!pointwise && { neighbours: neighboursOf(graph, geometry) }
  });
  return { ...y, shape: [x.shape[0], ...convolutionExtent(geometry), y.shape.at(-1) ?? 0] };
}
function patchProduct(graph, { x, weight, stride, padding, ...epilogue }, patch) {
  const [images, ...extent] = x.shape.slice(0, -1);
  const channels = x.shape.at(-1) ?? 0;
  const label = epilogue.label ?? "convolution";
  const view = [images, ...extent.flatMap((length) => [length / patch, patch]), channels];
  const [patches, inside] = [extent.map((_, axis) => 1 + 2 * axis), extent.map((_, axis) => 2 + 2 * axis)];
  const beside = permute(graph, { x, view, axes: [0, ...patches, ...inside, view.length - 1], label: `${label} patches` });
  const counts = extent.map((length) => length / patch);
  const inner = channels * patch ** extent.length;
  const rows = reshape(beside, [images * counts.reduce((a, b) => a * b, 1), inner]);
  const y = matmul(graph, { ...epilogue, x: rows, weight: reshape(weight, [weight.shape[0], inner]), label });
  return { ...y, shape: [images, ...counts, y.shape.at(-1) ?? 0] };
}
function byTransforms(graph, request) {
  const { x, weight, bias, rowBias, residual, label = "convolution", stride = 1, padding, upsample = 1, dilation = 1 } = request;
  const { activation, gated = false, gate, into, outputDtype = x.dtype } = request;
  const pixels = x.shape.slice(1, -1).reduce((a, b) => a * b, 1);
  const plain = !gated && gate === void 0 && into === void 0 && stride === 1 && padding === 1 && dilation === 1;
  if (!plain || rowBias && rowBias.rows % pixels !== 0) return void 0;
  if (upsample === 1 && winogradTile(graph, x, weight))
    return winogradConvolution(graph, { x, weight, bias, rowBias, activation, residual, outputDtype, label });
  if (upsample === 2 && !activation && !rowBias && !residual && outputDtype === x.dtype && runsUpsampled(graph, x, weight))
    return upsampleConvolution(graph, { x, weight, bias, label });
  return void 0;
}

// runners/openGpu.ts
var kept2 = /* @__PURE__ */ Symbol.for("synchuman.gpu");
async function openGpu(options = {}) {
  const global = globalThis;
  global[kept2] ??= /* @__PURE__ */ new Map();
  const dawnOptions = dawnOptionsOf(options);
  const key = dawnOptions.join(" ");
  let gpu2 = global[kept2].get(key);
  if (gpu2 === void 0) {
    gpu2 = await load(dawnOptions);
    global[kept2].set(key, gpu2);
  }
  return gpu2;
}
async function load(dawnOptions) {
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    return create([...dawnOptions]);
  } catch (error) {
    const builtIn = globalThis.navigator?.gpu;
    if (builtIn !== void 0) return builtIn;
    throw new SyncHumanError(
      "device",
      `WebGPU cannot be loaded: ${error.message}`,
      "Install the package webgpu again (npm install webgpu --force); it has builds for Linux x64 and arm64 (glibc), macOS and Windows.",
      { cause: error }
    );
  }
}
function dawnOptionsOf(options) {
  const enabled = ["allow_unsafe_apis", "vulkan_enable_f16_on_nvidia"];
  const disabled = ["timestamp_quantization"];
  if (options.unchecked) {
    enabled.push("skip_validation", "disable_robustness", "disable_workgroup_init", "disable_polyfills_on_integer_div_and_mod");
  }
  return [
    `enable-dawn-features=${enabled.join(",")}`,
    `disable-dawn-features=${disabled.join(",")}`,
    ...options.adapterName === void 0 ? [] : [`adapter=${options.adapterName}`]
  ];
}

// verify.ts
import { readFileSync as readFileSync2 } from "node:fs";
registerShaders(JSON.parse(readFileSync2(process.env.SHADERS ?? "shaders.json", "utf8")));
var gpu = await openGpu({});
var fast = await openDevice(gpu, { allowSoftware: true });
var slow = await openDevice(gpu, { allowSoftware: true, disableSubgroupMatrix: true });
var rnd = (n, s, scale = 1) => {
  const a = new Float32Array(n);
  let h = s >>> 0;
  for (let i = 0; i < n; i++) {
    h = Math.imul(h, 1664525) + 1013904223 >>> 0;
    a[i] = ((h >>> 8) / 8388608 - 1) * scale;
  }
  return a;
};
var T = (d, dtype, shape, s, scale = 1) => residentTensor(d, "t", dtype, shape, rnd(shape.reduce((a, b) => a * b, 1), s, scale));
var cases = {};
var lin = (rows, inner, columns, more = () => ({})) => (d, g) => matmul(g, { x: T(d, "f16", [rows, inner], 1), weight: T(d, "f16", [columns, inner], 2, 1 / Math.sqrt(inner)), bias: T(d, "f32", [columns], 3), ...more(d) });
cases["300x64x136"] = lin(300, 64, 136);
cases["129x32x4"] = lin(129, 32, 12);
cases["1000x1024x320 f32 out"] = lin(1e3, 1024, 320, () => ({ outputDtype: "f32" }));
for (const activation of ["silu", "gelu", "geluTanh"]) cases[`all ${activation}`] = lin(700, 96, 320, (d) => ({ activation, rowBias: { tensor: T(d, "f32", [7, 332], 4), rows: 100, column: 8 }, gate: { tensor: T(d, "f32", [2, 640], 5), rows: 350, column: 320 }, residual: T(d, "f16", [700, 320], 6) }));
cases["residual f32"] = lin(500, 64, 128, (d) => ({ residual: T(d, "f32", [500, 128], 6), outputDtype: "f32" }));
cases["geglu"] = lin(777, 320, 2560, () => ({ gated: true, activation: "gelu" }));
cases["geglu residual gate"] = lin(300, 64, 144, (d) => ({ gated: true, activation: "gelu", residual: T(d, "f16", [300, 72], 6), gate: { tensor: T(d, "f32", [3, 72], 5), rows: 100 } }));
cases["into column accumulate"] = lin(300, 64, 128, (d) => ({ into: { tensor: T(d, "f16", [300, 200], 7), column: 64, accumulate: true } }));
cases["into column geglu"] = lin(300, 64, 128, (d) => ({ gated: true, into: { tensor: T(d, "f16", [300, 200], 7), column: 64, accumulate: true } }));
cases["segments"] = (d, g) => matmul(g, { x: T(d, "f16", [1e3, 320], 1), xColumn: 64, xRows: { first: 100, count: 60, stride: 200, segments: 4 }, weight: T(d, "f16", [256, 256], 2, 0.1), into: { tensor: T(d, "f16", [900, 256], 7), rows: { first: 20, count: 120, stride: 300, segments: 2 }, accumulate: true } });
var conv = (n, e, c, o, more = () => ({})) => (d, g) => convolution(g, { x: T(d, "f16", [n, ...e, c], 1), weight: T(d, "f16", [o, ...e.map(() => 3), c], 2, 1 / Math.sqrt(c * 9)), bias: T(d, "f32", [o], 3), padding: 1, ...more(d) });
cases["conv"] = conv(3, [12, 12], 96, 320, (d) => ({ residual: T(d, "f16", [3, 12, 12, 320], 6) }));
cases["conv rowBias"] = conv(5, [9, 7], 64, 192, (d) => ({ rowBias: { tensor: T(d, "f32", [5, 200], 4), rows: 63, column: 8 } }));
cases["conv stride 2"] = conv(3, [24, 24], 32, 64, () => ({ stride: 2 }));
cases["conv up"] = conv(3, [12, 12], 64, 64, () => ({ upsample: 2 }));
cases["conv 3d silu"] = conv(2, [8, 8, 8], 32, 128, () => ({ activation: "silu" }));
cases["160 columns and a remainder"] = lin(1025, 96, 328);
cases["odd tiles 1376 columns f32"] = lin(259, 160, 1376, () => ({ outputDtype: "f32" }));
cases["accumulate into all"] = lin(385, 64, 320, (d) => ({ into: { tensor: T(d, "f16", [385, 320], 7), accumulate: true }, residual: T(d, "f32", [385, 320], 8) }));
cases["geglu 2560 residual f32"] = lin(300, 320, 2560, (d) => ({ gated: true, activation: "gelu", residual: T(d, "f32", [300, 1280], 6) }));
cases["batch of weights"] = (d, g) => matmul(g, { x: T(d, "f16", [4 * 512, 320], 1), weight: T(d, "f16", [4, 640, 320], 2, 0.06), weights: 4 });
cases["batch 1024 columns"] = (d, g) => matmul(g, { x: T(d, "f16", [4 * 256, 64], 1), weight: T(d, "f16", [4, 1024, 64], 2, 0.1), weights: 4 });
cases["conv 1 tap of 3"] = (d, g) => matmul(g, { x: T(d, "f16", [700, 96], 1), weight: T(d, "f16", [320, 3, 96], 2, 0.06), neighbours: { table: residentTensor(d, "t", "i32", [350, 3], Int32Array.from({ length: 1050 }, (_, i) => i * 7919 % 351 - 1)), rowsIn: 350 } });
cases["sparse one tap"] = (d, g) => matmul(g, { x: T(d, "f16", [700, 96], 1), weight: T(d, "f16", [320, 96], 2, 0.06), neighbours: { table: residentTensor(d, "t", "i32", [500, 1], Int32Array.from({ length: 500 }, (_, i) => i * 7919 % 701 - 1)), rowsIn: 700 } });
cases["conv wide f32 out 4 columns"] = conv(2, [24, 24], 320, 4, () => ({ outputDtype: "f32" }));
cases["parts residual gate f32"] = lin(514, 1280, 1280, (d) => ({ gate: { tensor: T(d, "f32", [2, 1280], 5), rows: 257 }, residual: T(d, "f32", [514, 1280], 6), outputDtype: "f32" }));
cases["parts 1374 gelu"] = lin(1374, 4096, 1024, (d) => ({ activation: "gelu", residual: T(d, "f16", [1374, 1024], 6) }));
cases["parts 160"] = lin(758, 4096, 3072);
cases["parts accumulate into column"] = lin(300, 1376, 176, (d) => ({ into: { tensor: T(d, "f16", [300, 200], 7), column: 12, accumulate: true } }));
cases["parts segments"] = (d, g) => matmul(g, { x: T(d, "f16", [1e3, 1088], 1), xColumn: 64, xRows: { first: 100, count: 60, stride: 200, segments: 4 }, weight: T(d, "f16", [256, 1024], 2, 0.1), into: { tensor: T(d, "f16", [900, 256], 7), rows: { first: 20, count: 120, stride: 300, segments: 2 }, accumulate: true } });
cases["parts conv rowBias silu"] = conv(2, [8, 9], 96, 64, (d) => ({ activation: "silu", rowBias: { tensor: T(d, "f32", [2, 64], 4), rows: 72 } }));
cases["parts conv 3d"] = conv(2, [8, 8, 8], 128, 128, () => ({ activation: "silu" }));
cases["parts sparse 27"] = (d, g) => matmul(g, { x: T(d, "f16", [1569, 128], 1), weight: T(d, "f16", [1024, 27, 128], 2, 0.02), neighbours: { table: residentTensor(d, "t", "i32", [1569, 27], Int32Array.from({ length: 1569 * 27 }, (_, i) => i * 7919 % 1570 - 1)), rowsIn: 1569 } });
var worst = 0;
for (const [name, build] of Object.entries(cases)) {
  const r = [];
  const shaders = [];
  for (const d of [fast, slow]) {
    const g = new Graph(d, name);
    const y = build(d, g);
    g.output(y);
    const e2 = await compileGraph(g);
    await e2.run();
    r.push(await e2.read(y));
    shaders.push(g.dispatches[0].variant.shader);
    e2.destroy();
  }
  let e = 0, p = 0, m = 0;
  for (let i = 0; i < r[0].length; i++) {
    e += (r[0][i] - r[1][i]) ** 2;
    p += r[1][i] ** 2;
    m = Math.max(m, Math.abs(r[0][i] - r[1][i]));
  }
  worst = Math.max(worst, e / p);
  console.log(name.padEnd(28), shaders.join(" / "), "nmse", (e / p).toExponential(2), "max", m.toExponential(1));
}
console.log("worst", worst);
process.exit(0);
