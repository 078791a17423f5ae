/// <reference types="@webgpu/types" preserve="true" />
// The package's one public entrance, `import { SyncHuman } from "synchuman-webgpu"`: what stands here stays as it is within a major version.
// biome-ignore-all lint/performance/noBarrelFile: an entrance has to name what comes in from elsewhere

export { defaults, type Preset, type PresetName } from "../engine/defaults.ts";
export { type ErrorCode, exitStatus, SyncHumanError } from "../engine/error.ts";
export type { Device, DeviceReport } from "../engine/gpu/device.ts";
export type { Image } from "../engine/image/image.ts";
export { type PshumanPictures, pshumanViewNames } from "../engine/image/pshumanViews.ts";
export type { Mesh } from "../engine/mesh/mesh.ts";
export type { U2netWeights } from "../engine/models/u2netWeights.ts";
export { PsHuman, type PsHumanBody, type PsHumanBodyOptions, type PsHumanOptions, type PsHumanViewOptions } from "../engine/pshuman.ts";
export { TorchCudaGenerator } from "../engine/random/philox.ts";
export type { RunCallbacks, SessionOptions } from "../engine/session.ts";
export type { GaussianCloud } from "../engine/splat/gaussianCloud.ts";
export { finishDefaults, sketchEffort } from "../engine/stages/finish.ts";
export type { BodyViews } from "../engine/stages/maskedView.ts";
export type { MemoryPlan, PartMeasurement, Progress } from "../engine/stages/part.ts";
export type { MeshTexture, NormalMap, StageOneResult, StageTwoResult } from "../engine/stages/results.ts";
export { type OpenOptions, type RunOptions, SyncHuman } from "../engine/synchuman.ts";
export type { Checkpoint } from "../weights/checkpoint.ts";
export type { PshumanCheckpoint } from "../weights/pshumanCheckpoint.ts";
export { chooseDevice, type DeviceChoice } from "./chooseDevice.ts";
export { type BackgroundChoice, type BackgroundOptions, cutOut, type PictureToCut, pictureToCut } from "./cutOut.ts";
export { decodePicture, encodePng } from "./imageFile.ts";
export { onThreads } from "./onThreads.ts";
export { openPshumanWeights } from "./openPshumanWeights.ts";
export { type OpenedWeights, openWeights } from "./openWeights.ts";
export { readStageOne, writeStageOne, writeStageTwo } from "./stageFolders.ts";
export { type Surface, type SurfaceOptions, surfaceFiles } from "./surfaceFiles.ts";
