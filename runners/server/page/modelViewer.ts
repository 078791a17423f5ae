import { MeshoptDecoder } from "meshoptimizer/decoder";
import * as three from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { readPly } from "../../../engine/mesh/readPly.ts";
import { gaussiansOfPly } from "../../../engine/splat/gaussianPly.ts";
import { type SplatPoints, splatPoints } from "./splatPoints.ts";
import { splatRows } from "./splatRows.ts";

/** What is shown of a model. */
export type ViewerMode = "texture" | "clay" | "normals" | "splats";

/** A model in a canvas. */
export interface ModelViewer {
	readonly canvas: HTMLCanvasElement;
	/** Takes the mesh of a GLB. Rejects where it cannot be read. */
	setMesh(glb: Uint8Array<ArrayBuffer>): Promise<void>;
	/** Takes the Gaussians of a .ply. Throws where they cannot be read. */
	setSplats(ply: Uint8Array): void;
	show(mode: ViewerMode): void;
	/** Turns the model by itself, or stops that. */
	turn(on: boolean): void;
	/** The view from the front. */
	reset(): void;
	/** Frees everything; the canvas is empty then. */
	dispose(): void;
}

/** Half of the vertical field of view, in radians, and how much of it the figure fills. */
const [halfView, filled] = [(15 * Math.PI) / 180, 0.82];
/** Of a key that turns, in radians; of one that zooms, as a factor. */
const [turnStep, zoomStep] = [Math.PI / 16, 0.9];

/** Makes a viewer, drawn when something changes. Throws where the browser has no WebGL 2. */
export function modelViewer(): ModelViewer {
	const renderer = new three.WebGLRenderer({ antialias: true, alpha: true, preserveDrawingBuffer: true });
	const canvas = renderer.domElement;
	canvas.tabIndex = 0;
	canvas.setAttribute("role", "application");
	canvas.setAttribute("aria-label", "The model. Arrow keys turn it, plus and minus zoom, 0 shows it from the front.");
	const scene = new three.Scene();
	const camera = new three.PerspectiveCamera((halfView * 360) / Math.PI, 1, 0.05, 50);
	scene.add(new three.HemisphereLight(0xffffff, 0xb9b4c8, 2.3), camera);
	// Light that comes with the viewer: from the upper left.
	const key = new three.DirectionalLight(0xffffff, 1.1);
	key.position.set(-1.2, 1.4, 1);
	camera.add(key, key.target);
	const ground = groundShadow();
	scene.add(ground);

	const controls = new OrbitControls(camera, canvas);
	controls.enableDamping = !matchMedia("(prefers-reduced-motion: reduce)").matches;
	controls.dampingFactor = 0.12;
	controls.minDistance = 0.4;
	controls.maxDistance = 12;
	controls.autoRotateSpeed = 1.6;

	/** Mesh and Gaussians are scaled and moved alike: one high, the feet at the bottom. */
	const body = new three.Group();
	scene.add(body);
	const meshes: three.Mesh[] = [];
	const plain = new Map<three.Mesh, three.Material | three.Material[]>();
	const clay = new three.MeshStandardMaterial({ color: 0xc9c3ba, roughness: 0.85, metalness: 0 });
	const normals = new three.MeshNormalMaterial();
	let splats: SplatPoints | undefined;
	let mode: ViewerMode = "texture";

	let asked = false;
	const draw = () => {
		asked = false;
		if (controls.update()) redraw();
		if (mode === "splats") {
			camera.updateMatrixWorld();
			splats?.object.updateWorldMatrix(true, false);
			splats?.prepare(camera, renderer.getDrawingBufferSize(new three.Vector2()));
		}
		renderer.render(scene, camera);
	};
	const redraw = () => {
		if (asked) return;
		asked = true;
		requestAnimationFrame(draw);
	};
	controls.addEventListener("change", redraw);

	const reset = () => {
		// The figure is one high and at most as wide: as far away as both need.
		const distance = 0.5 / filled / Math.tan(halfView) / Math.min(1, camera.aspect / 0.7) + 0.15;
		// A little above the middle: the switches lie over the bottom.
		controls.target.set(0, -0.03, 0);
		camera.position.set(0, 0.03, distance);
		redraw();
	};
	let touched = false;
	controls.addEventListener("start", () => {
		touched = true;
	});
	const resized = new ResizeObserver(() => {
		const { clientWidth: width, clientHeight: height } = canvas.parentElement ?? canvas;
		if (width === 0 || height === 0) return;
		renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
		renderer.setSize(width, height, false);
		camera.aspect = width / height;
		camera.updateProjectionMatrix();
		if (!touched) reset();
		redraw();
	});
	const observed = () => {
		if (canvas.parentElement !== null) resized.observe(canvas.parentElement);
	};
	queueMicrotask(observed);

	const keys: Readonly<Record<string, () => void>> = {
		ArrowLeft: () => controls.rotateLeft(-turnStep),
		ArrowRight: () => controls.rotateLeft(turnStep),
		ArrowUp: () => controls.rotateUp(-turnStep),
		ArrowDown: () => controls.rotateUp(turnStep),
		"+": () => controls.dollyIn(zoomStep),
		"=": () => controls.dollyIn(zoomStep),
		"-": () => controls.dollyOut(zoomStep),
		"0": reset,
	};
	canvas.addEventListener("keydown", (event) => {
		const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
		if (act === undefined) return;
		event.preventDefault();
		touched = event.key !== "0";
		act();
		redraw();
	});

	const apply = () => {
		for (const mesh of meshes) {
			mesh.visible = mode !== "splats";
			mesh.material = mode === "clay" ? clay : mode === "normals" ? normals : (plain.get(mesh) ?? clay);
		}
		if (splats !== undefined) splats.object.visible = mode === "splats";
		redraw();
	};
	/** Places the body by what is known of its bounds first. */
	const place = (box: three.Box3) => {
		if (body.userData.placed === true || box.isEmpty()) return;
		body.userData.placed = true;
		const size = box.getSize(new three.Vector3());
		const scale = 1 / Math.max(size.y, size.x * 0.7, size.z, 1e-6);
		const center = box.getCenter(new three.Vector3());
		body.scale.setScalar(scale);
		body.position.copy(center).multiplyScalar(-scale);
		ground.position.y = (box.min.y - center.y) * scale;
		ground.scale.setScalar(Math.max(size.x, size.z) * scale);
		ground.visible = true;
	};

	return {
		canvas,
		async setMesh(glb) {
			const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder);
			const { scene: loaded } = await loader.parseAsync(glb.buffer, "");
			loaded.traverse((object) => {
				if (!(object instanceof three.Mesh)) return;
				meshes.push(object);
				plain.set(object, object.material);
				if (object.geometry.getAttribute("normal") === undefined) object.geometry.computeVertexNormals();
			});
			body.add(loaded);
			loaded.updateMatrixWorld(true);
			place(new three.Box3().setFromObject(loaded));
			apply();
		},
		setSplats(ply) {
			const { columns, count } = readPly(ply, "gaussians.ply");
			const cloud = gaussiansOfPly(columns, count, "gaussians.ply");
			if (cloud === undefined) throw new Error("gaussians.ply holds no Gaussians");
			const rows = splatRows(cloud);
			splats = splatPoints(rows);
			body.add(splats.object);
			place(new three.Box3().setFromArray(rows.positions));
			apply();
		},
		show(wanted) {
			mode = wanted;
			apply();
		},
		turn(on) {
			controls.autoRotate = on;
			redraw();
		},
		reset() {
			touched = false;
			reset();
		},
		dispose() {
			resized.disconnect();
			controls.dispose();
			splats?.dispose();
			for (const mesh of meshes) mesh.geometry.dispose();
			renderer.dispose();
			renderer.forceContextLoss();
			canvas.remove();
		},
	};
}

/** A soft round shadow to stand on. */
function groundShadow(): three.Mesh {
	const size = 128;
	const picture = document.createElement("canvas");
	picture.width = size;
	picture.height = size;
	const context = picture.getContext("2d");
	if (context !== null) {
		const fade = context.createRadialGradient(size / 2, size / 2, 0, size / 2, size / 2, size / 2);
		fade.addColorStop(0, "rgba(10, 8, 24, 0.42)");
		fade.addColorStop(0.45, "rgba(10, 8, 24, 0.16)");
		fade.addColorStop(1, "rgba(10, 8, 24, 0)");
		context.fillStyle = fade;
		context.fillRect(0, 0, size, size);
	}
	const material = new three.MeshBasicMaterial({ map: new three.CanvasTexture(picture), transparent: true, depthWrite: false });
	const disc = new three.Mesh(new three.PlaneGeometry(1.2, 1.2), material);
	disc.rotation.x = -Math.PI / 2;
	disc.renderOrder = -1;
	disc.visible = false;
	return disc;
}
