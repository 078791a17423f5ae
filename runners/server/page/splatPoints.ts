import * as three from "three";
import { type BackToFront, backToFront } from "./backToFront.ts";
import { type SplatRows, textureWidth } from "./splatRows.ts";

// Gaussians as rectangles that face the camera, farthest first. Written from the papers: EWA splatting (Zwicker et al. 2001) for the projected
// covariance, Mip-Splatting (Yu et al. 2024, eq. 10) for the filter of 0.1 pixels^2 that keeps the energy of small ones.

const vertexShader = `
precision highp float;
uniform highp sampler2D rows;
uniform vec2 viewport; // pixels
in uint gaussian;
out vec2 offset; // standard deviations
out vec4 color;

void main() {
  int first = int(gaussian) * 3;
  ivec2 at = ivec2(first % ${textureWidth}, first / ${textureWidth});
  vec4 a = texelFetch(rows, at, 0);
  vec4 b = texelFetch(rows, at + ivec2(1, 0), 0);
  vec4 c = texelFetch(rows, at + ivec2(2, 0), 0);
  vec3 t = (modelViewMatrix * vec4(a.xyz, 1.0)).xyz;
  gl_Position = vec4(0.0, 0.0, 2.0, 1.0); // beyond the far plane: nothing is drawn
  if (t.z > -0.05) return;
  vec2 perUnit = vec2(projectionMatrix[0][0], projectionMatrix[1][1]) * 0.5 * viewport / -t.z; // pixels
  mat3 view = mat3(modelViewMatrix);
  vec3 x = vec3(view[0].x, view[1].x, view[2].x);
  vec3 y = vec3(view[0].y, view[1].y, view[2].y);
  vec3 z = vec3(view[0].z, view[1].z, view[2].z);
  vec3 toX = perUnit.x * (x - z * (t.x / t.z));
  vec3 toY = perUnit.y * (y - z * (t.y / t.z));
  mat3 covariance = mat3(b.x, b.y, b.z, b.y, b.w, c.x, b.z, c.x, c.y);
  float xx = dot(toX, covariance * toX);
  float yy = dot(toY, covariance * toY);
  float xy = dot(toX, covariance * toY);
  float before = max(xx * yy - xy * xy, 0.0);
  xx += 0.1;
  yy += 0.1;
  float opacity = a.w * sqrt(before / (xx * yy - xy * xy) + 1e-6);
  if (opacity < 1.0 / 255.0) return;
  float middle = 0.5 * (xx + yy);
  float spread = sqrt(max(middle * middle - (xx * yy - xy * xy), 1e-9));
  vec2 axis = abs(xy) > 1e-9 ? normalize(vec2(xy, middle + spread - xx)) : (xx >= yy ? vec2(1.0, 0.0) : vec2(0.0, 1.0));
  // As far as the Gaussian is 1/255 at all.
  float reach = sqrt(2.0 * log(255.0 * opacity));
  offset = position.xy * reach;
  vec2 pixels = offset.x * sqrt(middle + spread) * axis + offset.y * sqrt(max(middle - spread, 0.05)) * vec2(-axis.y, axis.x);
  vec4 center = projectionMatrix * vec4(t, 1.0);
  gl_Position = center + vec4(pixels * 2.0 / viewport * center.w, 0.0, 0.0);
  float bytes = c.z;
  color = vec4(mod(bytes, 256.0), mod(floor(bytes / 256.0), 256.0), floor(bytes / 65536.0), 255.0 * opacity) / 255.0;
}`;

const fragmentShader = `
precision highp float;
in vec2 offset;
in vec4 color;
out vec4 result;

void main() {
  float alpha = color.a * exp(-0.5 * dot(offset, offset));
  if (alpha < 1.0 / 255.0) discard;
  result = vec4(color.rgb * alpha, alpha);
}`;

/** A cloud of Gaussians in a scene. */
export interface SplatPoints {
	readonly object: three.Object3D;
	/** To be called before a frame: sorts where the camera has turned since the last one. `size`: pixels of the frame. */
	prepare(camera: three.Camera, size: three.Vector2): void;
	dispose(): void;
}

/** Makes it of the rows of `splatRows`. */
export function splatPoints({ count, positions, texels, height }: SplatRows): SplatPoints {
	const rows = new three.DataTexture(texels, textureWidth, height, three.RGBAFormat, three.FloatType);
	rows.needsUpdate = true;
	const geometry = new three.InstancedBufferGeometry();
	geometry.setAttribute("position", new three.BufferAttribute(new Float32Array([-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0]), 3));
	geometry.setIndex([0, 1, 2, 0, 2, 3]);
	const order = new three.InstancedBufferAttribute(new Uint32Array(count), 1);
	order.gpuType = three.IntType;
	order.setUsage(three.DynamicDrawUsage);
	geometry.setAttribute("gaussian", order);
	geometry.instanceCount = count;
	const viewport = new three.Vector2(1, 1);
	const material = new three.RawShaderMaterial({
		glslVersion: three.GLSL3,
		vertexShader: `uniform mat4 modelViewMatrix;\nuniform mat4 projectionMatrix;\nin vec3 position;\n${vertexShader}`,
		fragmentShader,
		uniforms: { rows: { value: rows }, viewport: { value: viewport } },
		depthWrite: false,
		transparent: true,
		premultipliedAlpha: true,
		blending: three.CustomBlending,
		blendSrc: three.OneFactor,
		blendDst: three.OneMinusSrcAlphaFactor,
	});
	const object = new three.Mesh(geometry, material);
	object.frustumCulled = false;
	const sort: BackToFront = backToFront(positions);
	const sorted = new three.Vector3();
	const [modelView, direction] = [new three.Matrix4(), new three.Vector3()];
	return {
		object,
		prepare(camera, size) {
			viewport.copy(size);
			modelView.multiplyMatrices(camera.matrixWorldInverse, object.matrixWorld);
			direction.set(modelView.elements[2], modelView.elements[6], modelView.elements[10]).normalize();
			if (direction.dot(sorted) > 0.999) return;
			sorted.copy(direction);
			sort(modelView.elements, order.array as Uint32Array);
			order.needsUpdate = true;
		},
		dispose() {
			geometry.dispose();
			material.dispose();
			rows.dispose();
		},
	};
}
