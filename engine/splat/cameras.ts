// Cameras around the figure, in float64. World: z up, the person faces -y. A matrix is row-major and multiplies column vectors.
// Conventions: reference/stage2/ARCHITECTURE.md sections 9 and 11.

/** Row-major 4 x 4. */
export type Matrix4 = readonly number[];
type Vector3 = readonly [number, number, number];

/** A place on a sphere around the origin, radians: yaw 0 is +y, pi / 2 is +x, the front -pi; pitch pi / 2 is +z. */
export interface SphereAngles {
	readonly yaw: number;
	readonly pitch: number;
}

/** Focal lengths and principal point in sides of the picture, the origin at its upper left corner. */
export interface Intrinsics {
	readonly fx: number;
	readonly fy: number;
	readonly cx: number;
	readonly cy: number;
}

/** A perspective camera of the computer-vision convention. */
export interface PinholeCamera {
	/** World to camera: x right, y down, z forward. */
	readonly extrinsics: Matrix4;
	readonly intrinsics: Intrinsics;
}

/** A camera of the OpenGL convention, as rasterisers want it. */
export interface ClipCamera {
	/** World to camera: x right, y up, z backward. */
	readonly view: Matrix4;
	/** Camera to clip space. */
	readonly projection: Matrix4;
}

/** The digits of `index` in base `base`, mirrored behind the point: in [0, 1). Van der Corput's sequence. */
export function radicalInverse(base: number, index: number): number {
	let value = 0;
	let weight = 1 / base;
	for (let rest = index; rest > 0; rest = Math.floor(rest / base)) {
		value += (rest % base) * weight;
		weight /= base;
	}
	return value;
}

const primes = [2, 3, 5, 7];

/** Point `index` of `count` of Hammersley's set in [0, 1)^dimension, up to five dimensions. Upstream: hammersley_sequence. */
export function hammersleySequence(dimension: number, index: number, count: number): number[] {
	if (!(dimension >= 1 && dimension <= primes.length + 1)) {
		throw new RangeError(`hammersleySequence: dimension must be 1 to ${primes.length + 1}, got ${dimension}`);
	}
	return [index / count, ...primes.slice(0, dimension - 1).map((base) => radicalInverse(base, index))];
}

/** Direction `index` of `count` spread evenly over the sphere, from below upwards. Upstream: sphere_hammersley_sequence. */
export function sphereHammersley(index: number, count: number): SphereAngles {
	const [u, v] = hammersleySequence(2, index, count);
	return { yaw: v * 2 * Math.PI, pitch: Math.acos(1 - 2 * u) - Math.PI / 2 };
}

function spherePoint({ yaw, pitch }: SphereAngles, radius: number): Vector3 {
	return [radius * Math.sin(yaw) * Math.cos(pitch), radius * Math.cos(yaw) * Math.cos(pitch), radius * Math.sin(pitch)];
}

function dot(a: Vector3, b: Vector3): number {
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector3, b: Vector3): Vector3 {
	return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function normalize(v: Vector3): Vector3 {
	const length = Math.hypot(...v);
	return [v[0] / length, v[1] / length, v[2] / length];
}

/**
 * World to camera (x right, y down, z forward) of an eye that looks at the origin, z up. Throws RangeError where the eye stands exactly
 * above, below or in the origin: there is no right hand then. (Angles of +-pi / 2 in float64 miss the pole by 1e-16 and are fine.)
 */
export function lookAtOrigin(eye: Vector3): Matrix4 {
	if (eye[0] === 0 && eye[1] === 0) throw new RangeError(`lookAtOrigin: the eye must not stand on the z axis, got (${eye})`);
	const forward = normalize([-eye[0], -eye[1], -eye[2]]);
	const right = normalize(cross([0, 0, -1], forward));
	const down = cross(forward, right);
	return [...right, -dot(right, eye), ...down, -dot(down, eye), ...forward, -dot(forward, eye), 0, 0, 0, 1];
}

/** The same camera with y up and z backward. Upstream: utils3d extrinsics_to_view. */
export function viewOfExtrinsics(extrinsics: Matrix4): Matrix4 {
	return extrinsics.map((value, i) => (i >= 4 && i < 12 ? -value : value));
}

/** Intrinsics of a square picture with this field of view (radians) across. */
export function fovIntrinsics(fov: number): Intrinsics {
	const focal = 0.5 / Math.tan(fov / 2);
	return { fx: focal, fy: focal, cx: 0.5, cy: 0.5 };
}

/** Row-major 3 x 3 form of intrinsics. */
export function intrinsicsMatrix({ fx, fy, cx, cy }: Intrinsics): readonly number[] {
	return [fx, 0, cx, 0, fy, cy, 0, 0, 1];
}

/**
 * A camera on a sphere around the origin that looks at it; fov in radians. Angles are rounded to float32, as upstream's
 * yaw_pitch_r_fov_to_extrinsics_intrinsics does: at the poles that decides which way is up in the picture.
 */
export function sphereCamera(angles: SphereAngles, radius: number, fov: number): PinholeCamera {
	const rounded = { yaw: Math.fround(angles.yaw), pitch: Math.fround(angles.pitch) };
	return { extrinsics: lookAtOrigin(spherePoint(rounded, radius)), intrinsics: fovIntrinsics(fov) };
}

/** Clip matrix of a perspective camera; depth -1 at `near`, 1 at `far`. Upstream: utils3d intrinsics_to_perspective. */
export function perspectiveProjection({ fx, fy, cx, cy }: Intrinsics, near: number, far: number): Matrix4 {
	const depth = (near + far) / (near - far);
	return [2 * fx, 0, 1 - 2 * cx, 0, 0, 2 * fy, 2 * cy - 1, 0, 0, 0, depth, (2 * near * far) / (near - far), 0, 0, -1, 0];
}

/** Clip matrix of an orthographic camera that shows [-half, half]^2, y turned over: rows of the raster come out top-down. */
export function orthographicProjection(half: number, near: number, far: number): Matrix4 {
	return [1 / half, 0, 0, 0, 0, -1 / half, 0, 0, 0, 0, 2 / (near - far), (near + far) / (near - far), 0, 0, 0, 1];
}

/** Distance of all upstream's cameras from the origin, in body units. */
export const cameraRadius = 2;
/** Their field of view, in radians: 40 degrees, across and down. */
export const cameraFov = (40 * Math.PI) / 180;

/** Front (-y), +x side, back, -x side, and the front again for the face: yaws of the orthographic views of the bake. */
export const bodyYaws: readonly number[] = [-Math.PI, (-3 * Math.PI) / 2, 0, -Math.PI / 2, -Math.PI];

/** A view of the bake. */
export interface BakeView extends ClipCamera, PinholeCamera {
	readonly angles: SphereAngles;
	readonly orthographic: boolean;
}

/** The views of the texture bake: five orthographic ones, then `perspectiveCount` (95) spread over the sphere. */
export function bakeViews(perspectiveCount: number): BakeView[] {
	const around = Array.from({ length: perspectiveCount }, (_, i) => sphereHammersley(i, perspectiveCount));
	return [...bodyYaws.map((yaw) => ({ yaw, pitch: 0 })), ...around].map((angles, i) => {
		const camera = sphereCamera(angles, cameraRadius, cameraFov);
		const orthographic = i < bodyYaws.length;
		const projection = orthographic ? orthographicProjection(0.5, 0.1, 100) : perspectiveProjection(camera.intrinsics, 0.1, 10);
		return { ...camera, angles, orthographic, view: viewOfExtrinsics(camera.extrinsics), projection };
	});
}

/** The views that decide which faces of a mesh are seen, `count` (1,000) over the sphere; angles in float64, as upstream has them there. */
export function visibilityViews(count: number): ClipCamera[] {
	const projection = perspectiveProjection(fovIntrinsics(cameraFov), 1, 3);
	return Array.from({ length: count }, (_, i) => ({
		view: viewOfExtrinsics(lookAtOrigin(spherePoint(sphereHammersley(i, count), cameraRadius))),
		projection,
	}));
}
