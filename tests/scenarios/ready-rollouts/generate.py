import pathlib
import shutil

repository = pathlib.Path(__file__).resolve().parents[3]
shutil.copy(repository / "pipelines/rollouts/dify.yaml", "dify-rollout.yaml")
shutil.copy(repository / "pipelines/rollouts/sample.yaml", "rollout.yaml")
shutil.copy(repository / "pipelines/sample/embedded/drydock.yaml", "sample.yaml")
