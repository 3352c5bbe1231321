#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_build_context_info
version_added: 0.1.0
short_description: Computes a digest of everything that goes into a Docker build
author:
  - The Slipway authors (@slipway)
description:
  - Computes a digest of everything that a Docker build depends on, so that an image whose inputs have not changed does
    not have to be built. The digest is the same on every machine that has the same source.
  - The digest covers each file that the build context sends, with its name, content, symbolic link target and whether
    it is executable, the Dockerfile, the ignore file, the build arguments, the digests of the base images and
    O(inputs).
  - It does not cover times, owners, other permissions, the order of files on the disk, and files that are ignored.
  - With O(archive), it also writes an archive of exactly these files. Built on another machine, the archive makes the
    image of that digest, whatever is edited meanwhile.
  - Runs on the machine that has the source, and requires neither Docker nor a Python package there.
options:
  path:
    description:
      - The directory that is the build context.
    type: path
    required: true
  dockerfile:
    description:
      - The Dockerfile, relative to O(path), or an absolute path. It may be outside of O(path).
      - Its own ignore file, V(<dockerfile>.dockerignore) in the same directory, is preferred to V(.dockerignore) in
        O(path).
    type: path
    default: Dockerfile
  build_args:
    description:
      - The build arguments. V(1) and V("1"), V(true) and V("true") are the same.
      - Images keep them. One whose name looks like that of a secret is masked in the output, with a warning.
    type: dict
    default: {}
  base_digests:
    description:
      - The digests of the base images, as a dictionary of image and digest, or as a list of digests in any order.
      - With them, a new base image makes a new digest; without them, it does not.
    type: raw
  inputs:
    description:
      - Anything else that the image depends on, such as its platform or its target stage.
    type: dict
    default: {}
  archive:
    description:
      - Where to write a tar archive of the context. If its name ends in V(.gz) or V(.tgz), it is compressed.
      - The same source gives the same archive, byte for byte. Only the owner of the file may read it.
      - Files in it have the mode V(0644) or V(0755), and a time that follows from their content. Constant times would
        let web servers call a changed file of the same size unchanged.
      - The Dockerfile and the ignore file are always in it, so that the unpacked archive builds like the source.
      - The archive is for the tasks that follow; writing it is not reported as a change. It is not written in check
        mode.
    type: path
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
notes:
  - Sockets, pipes and devices are not part of a context.
"""

EXAMPLES = r"""
- name: Compute the content tag of the image
  slipway.aws.docker_build_context_info:
    path: apps/webapp
    build_args:
      BASE_IMAGE: public.ecr.aws/docker/library/debian:trixie-slim
    base_digests:
      - sha256:8c8a3ea4ea3f8d5e6f6f2f4f6b7c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708
  delegate_to: localhost
  register: context

- name: Pack the source for the Docker host, and compute the tag of exactly that
  slipway.aws.docker_build_context_info:
    path: apps/webapp
    archive: "{{ scratch.path }}/webapp.tar.gz"
  delegate_to: localhost
"""

RETURN = r"""
digest:
  description: The digest of everything that the build depends on.
  returned: success
  type: str
  sample: sha256:0d4a1185c5c1d7f3c0c4f5c2f3ac0f6a6d1b8a7cba31e7e5b8f6d0a9c8b7a695
tag:
  description: The short form of the digest, which can be the tag of an image.
  returned: success
  type: str
  sample: src-0d4a1185c5c1d7f3
dockerfile:
  description: The name of the Dockerfile in the context and the archive.
  returned: success
  type: str
  sample: Dockerfile
files:
  description: How many files and symbolic links the build sends.
  returned: success
  type: int
  sample: 12
size:
  description: The size of the files' contents, in bytes.
  returned: success
  type: int
  sample: 40960
archive:
  description: The archive; in check mode, the predicted one.
  returned: when O(archive) is set
  type: str
  sample: /tmp/ansible.x1/webapp.tar.gz
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(archive_in_context). The archive would be inside the build context that it is created from.
    - V(archive_not_written). The archive cannot be written.
    - V(context_changed). A file in the build context changed while it was read.
    - V(context_missing). The build context does not exist.
    - V(context_not_directory). The build context is not a directory.
    - V(dockerfile_missing). The Dockerfile does not exist.
    - V(ignore_file_invalid). A line of C(.dockerignore) is invalid; Docker also rejects it.
    - V(inputs_invalid). C(base_digests) is neither a dictionary nor a list.
    - V(unreadable). A file in the build context cannot be read.
  returned: failure
  type: str
  sample: dockerfile_missing
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.local_module import run
from ansible_collections.slipway.aws.plugins.module_utils._docker import info

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "dockerfile": {"type": "path", "default": "Dockerfile"},
    "build_args": {"type": "dict", "default": {}},
    "base_digests": {"type": "raw"},
    "inputs": {"type": "dict", "default": {}},
    "archive": {"type": "path"},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
