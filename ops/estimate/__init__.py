"""What a run would cost and take: asked for in three ways, shown in one."""
